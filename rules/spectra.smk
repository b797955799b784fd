"""
What sounds are like: features of them, embeddings by encoders of ours, and how far sets of sounds lie from datasets in both.

REQUIRED INPUTS: the sets of sounds; tags of them by the taggers; encoders of ours, where analysis.encoders names some.
OUTPUTS: results/analysis/features/<set>.csv, feature_differences.csv, coverage.csv, extremes.csv; results/analysis/embeddings/
<setting>/<set>.npy; distances.csv.
"""


def set_files(file):
    """A file of every set of sounds."""
    return [f"results/analysis/sounds/{name}/{file}" for name in SOUND_SETS]


def spectra_files():
    """Tables of features and distances."""
    return [f"results/analysis/{name}.csv" for name in ("feature_differences", "coverage", "extremes", "distances")]


def embedding_names(_wildcards):
    """Names of the embeddings: of the taggers, and of encoders of ours."""
    return [*CONFIG.analysis.taggers, *CONFIG.analysis.encoders]


def embedding_files(_wildcards):
    """The embeddings of every set, one embedding after another."""
    tags = [f"results/analysis/tags/{tagger}/{name}.npz" for tagger in CONFIG.analysis.taggers for name in SOUND_SETS]
    ours = [f"results/analysis/embeddings/{setting}/{name}.npy" for setting in CONFIG.analysis.encoders for name in SOUND_SETS]
    return [*tags, *ours]


rule measure_features:
    input:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
    output:
        features="results/analysis/features/{sounds}.csv",
    log:
        "logs/measure_features/{sounds}.log",
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.features.measure_features", "analysis.spectral.main"),
    script:
        "../workflow_scripts/measure_features.py"


rule compare_features:
    input:
        features=expand("results/analysis/features/{name}.csv", name=SOUND_SETS),
        sounds=set_files("sounds.csv"),
        about=set_files("sounds.json"),
    output:
        differences="results/analysis/feature_differences.csv",
        coverage="results/analysis/coverage.csv",
        extremes="results/analysis/extremes.csv",
    log:
        "logs/compare_features.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.resamples"),
        code=runs("analysis.compare.compare_features"),
    script:
        "../workflow_scripts/compare_features.py"


rule embed_sounds:
    input:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
        encoder=part_of_encoder("encoder.safetensors"),
        card=part_of_encoder("encoder.json"),
    output:
        embeddings="results/analysis/embeddings/{setting}/{sounds}.npy",
    log:
        "logs/embed_sounds/{setting}_{sounds}.log",
    wildcard_constraints:
        setting=one_of(OURS),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(),
        code=runs("analysis.embeddings.embed_sounds"),
    script:
        "../workflow_scripts/embed_sounds.py"


rule measure_distances:
    input:
        embeddings=embedding_files,
        sounds=set_files("sounds.csv"),
        about=set_files("sounds.json"),
    output:
        distances="results/analysis/distances.csv",
    log:
        "logs/measure_distances.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(embeddings=embedding_names),
        code=runs("analysis.embeddings.measure_distances"),
    script:
        "../workflow_scripts/measure_distances.py"
