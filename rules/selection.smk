"""
Which pairs of a store the encoders of encoders.selected are trained on.

REQUIRED INPUTS: results/pairs/<architecture>-<delta>/manifest.json; the weights of the tagger, where its package has none.
OUTPUTS: beside that manifest tags-<tagger>.npz, what the tagger hears in each pair, and selected-<name>.csv, the numbers of the
pairs that an encoder is trained on, with their uncertainty.
"""

SELECTED = CONFIG.encoders.selected


def weights_of_tagger(wildcards):
    """Files with the weights of a tagger: none where its package has them, or where they are called by a name."""
    return own_files(inputs_of(CONFIG, TAGGER_WEIGHTS)) if wildcards.tagger == "mn04" else []


def weights_contents(wildcards):
    return contents_of_files(inputs_of(CONFIG, TAGGER_WEIGHTS)) if wildcards.tagger == "mn04" else {}


def model_of_tagger(wildcards):
    return CONFIG.analysis.ast if wildcards.tagger == "ast" else ""


def code_of_tagger(wildcards):
    return f"analysis.taggers.{wildcards.tagger}.load"


def tags_of_candidates(wildcards):
    """What the tagger that a selection is made by hears in its candidates."""
    pairs = SYNTHETIC[wildcards.selection].pairs
    return f"{pairs}/tags-{SELECTED[wildcards.selection].tagger}.npz"


def criterion(wildcards):
    """By what a selection is made."""
    row = SELECTED[wildcards.selection]
    return {"definition": row.definition, "keep": row.keep, "share": row.share}


rule tag_candidates:
    input:
        store="results/pairs/{architecture}-{delta}/manifest.json",
        weights=weights_of_tagger,
    output:
        tags="results/pairs/{architecture}-{delta}/tags-{tagger}.npz",
    log:
        "logs/tag_candidates/{architecture}-{delta}_{tagger}.log",
    wildcard_constraints:
        tagger=one_of({row.tagger for row in SELECTED.values()}),
    cache: SHARED
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(model=model_of_tagger, contents=weights_contents),
        code=runs("analysis.selection.tag_candidates", code_of_tagger),
    script:
        "../workflow_scripts/tag_candidates.py"


rule select_pairs:
    input:
        tags=tags_of_candidates,
    output:
        selected="results/pairs/{architecture}-{delta}/selected-{selection}.csv",
    log:
        "logs/select_pairs/{architecture}-{delta}_{selection}.log",
    wildcard_constraints:
        selection=one_of(SELECTED),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(by=criterion),
        code=runs("analysis.selection.select_pairs"),
    script:
        "../workflow_scripts/select_pairs.py"
