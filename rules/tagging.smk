"""
What taggers hear: the causal uncertainty of sounds, and how similar the two views of a pair are.

REQUIRED INPUTS: the sets of sounds; for the tagger mn04 its weights, resources/archives/efficientat; for ast the network.
OUTPUTS: results/analysis/tags/<tagger>/<set>.npz; results/analysis/uncertainty.csv, uncertainty_differences.csv,
uncertainty_values.csv, similarity.csv.
"""

from pathlib import Path

from doppelgangers.workflow.plan import TAGGER_WEIGHTS


def weight_files(tagger):
    """Files with the weights of a tagger; none for one that comes with a package or from the hub."""
    return inputs_of(CONFIG, TAGGER_WEIGHTS) if tagger == "mn04" else []


def weights_of_tagger(wildcards):
    return own_files(weight_files(wildcards.tagger))


def contents_of_weights(wildcards):
    """What identifies weights that are the user's own: a file for mn04, a folder for ast."""
    model = CONFIG.analysis.ast
    folders = [model] if wildcards.tagger == "ast" and Path(model).is_dir() else []
    return contents_of_files([*weight_files(wildcards.tagger), *folders])


def model_of_tagger(wildcards):
    """What the tagger ast is loaded from."""
    return CONFIG.analysis.ast if wildcards.tagger == "ast" else ""


def tagger_loader(wildcards):
    return f"analysis.taggers.{wildcards.tagger}.load"


def tag_files(*kinds):
    """The tags of every set of these kinds, one tagger after another."""
    sets = sets_of(*kinds)
    return [f"results/analysis/tags/{tagger}/{name}.npz" for tagger in CONFIG.analysis.taggers for name in sets]


def tables_of_sets(*kinds):
    """sounds.csv of every set of these kinds."""
    return [f"results/analysis/sounds/{name}/sounds.csv" for name in sets_of(*kinds)]


def names_of_taggers(_wildcards):
    return CONFIG.analysis.taggers


def tagging_files():
    """Tables of uncertainty and similarity."""
    tables = ("uncertainty", "uncertainty_differences", "uncertainty_values", "similarity")
    return [f"results/analysis/{table}.csv" for table in tables]


ALL_KINDS = ("synthetic", "recordings", "dataset", "noise")


rule tag_sounds:
    input:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
        weights=weights_of_tagger,
    output:
        tags="results/analysis/tags/{tagger}/{sounds}.npz",
    log:
        "logs/tag_sounds/{tagger}_{sounds}.log",
    wildcard_constraints:
        tagger=one_of(CONFIG.analysis.taggers),
        sounds=one_of(SOUND_SETS),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(model=model_of_tagger, contents=contents_of_weights),
        code=runs("analysis.tags.tag_sounds", tagger_loader),
    script:
        "../workflow_scripts/tag_sounds.py"


rule measure_uncertainty:
    input:
        tags=tag_files(*ALL_KINDS),
        sounds=tables_of_sets(*ALL_KINDS),
    output:
        summary="results/analysis/uncertainty.csv",
        differences="results/analysis/uncertainty_differences.csv",
        values="results/analysis/uncertainty_values.csv",
    log:
        "logs/measure_uncertainty.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.uncertainty", "analysis.resamples", taggers=names_of_taggers),
        code=runs("analysis.causes.measure_uncertainty"),
    script:
        "../workflow_scripts/measure_uncertainty.py"


rule measure_similarity:
    input:
        tags=tag_files("synthetic"),
        sounds=tables_of_sets("synthetic"),
    output:
        table="results/analysis/similarity.csv",
    log:
        "logs/measure_similarity.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.resamples", taggers=names_of_taggers),
        code=runs("analysis.similarity.measure_similarity"),
    script:
        "../workflow_scripts/measure_similarity.py"
