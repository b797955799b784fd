"""
Figures: of each an .svg, for pages, and a .pdf, for papers.

REQUIRED INPUTS: results/table.csv, the cards of the encoders, the histories of the trained ones; the sets of sounds and what was
measured of them.
OUTPUTS: results/figures/<figure>.svg and .pdf; training where something is trained, spectrograms_<architecture> of each of
analysis.architectures. Those of differences of scores are in score_figures.smk, confusions_<task> in confusions.smk.
"""


def figure_names(_wildcards):
    """The figures of a run."""
    names = ["scores_by_delta", "comparisons", *(["snapshots"] if SNAPSHOTS else []), *(["training"] if TRAINED else [])]
    names += [f"spectrograms_{architecture}" for architecture in CONFIG.analysis.architectures]
    names += ["features", "uncertainty", "embeddings", "similarity"]
    return names + [f"confusions_{task}" for task in confused_tasks()]


def figure_files(wildcards):
    """All figures, as .svg."""
    return [f"results/figures/{name}.svg" for name in figure_names(wildcards)]


def pairs_of_architecture(wildcards):
    """The sounds of an architecture's pairs at each delta."""
    return sound_files([f"{wildcards.architecture}-{delta}" for delta in CONFIG.analysis.deltas])


rule plot_scores:
    input:
        table="results/table.csv",
        encoders=encoder_files(SETTINGS, "encoder.json"),
    output:
        figure=report("results/figures/scores_by_delta.svg", caption="captions/scores_by_delta.rst", category="Scores"),
        pdf="results/figures/scores_by_delta.pdf",
    log:
        "logs/plot_scores.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.figures.plot_scores"),
    script:
        "../workflow_scripts/plot_scores.py"


rule plot_training:
    input:
        encoders=encoder_files(TRAINED, "encoder.json"),
        histories=encoder_files(TRAINED, "history.csv"),
    output:
        figure=report("results/figures/training.svg", caption="captions/training.rst", category="Training"),
        pdf="results/figures/training.pdf",
    log:
        "logs/plot_training.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.figures.plot_training"),
    script:
        "../workflow_scripts/plot_training.py"


rule plot_spectrograms:
    input:
        sounds=pairs_of_architecture,
    output:
        figure=report("results/figures/spectrograms_{architecture}.svg", caption="captions/spectrograms.rst", category="Sounds"),
        pdf="results/figures/spectrograms_{architecture}.pdf",
    log:
        "logs/plot_spectrograms/{architecture}.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.sound_figures.plot_spectrograms"),
    script:
        "../workflow_scripts/plot_spectrograms.py"


rule plot_features:
    input:
        features=expand("results/analysis/features/{name}.csv", name=SOUND_SETS),
        about=set_files("sounds.json"),
    output:
        figure=report("results/figures/features.svg", caption="captions/features.rst", category="Sounds"),
        pdf="results/figures/features.pdf",
    log:
        "logs/plot_features.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.distributions.plot_features"),
    script:
        "../workflow_scripts/plot_features.py"


rule plot_uncertainty:
    input:
        values="results/analysis/uncertainty_values.csv",
        about=set_files("sounds.json"),
    output:
        figure=report("results/figures/uncertainty.svg", caption="captions/uncertainty.rst", category="Sounds"),
        pdf="results/figures/uncertainty.pdf",
    log:
        "logs/plot_uncertainty.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.distributions.plot_uncertainty"),
    script:
        "../workflow_scripts/plot_uncertainty.py"


rule plot_embeddings:
    input:
        embeddings=embedding_files,
        about=set_files("sounds.json"),
    output:
        figure=report("results/figures/embeddings.svg", caption="captions/embeddings.rst", category="Sounds"),
        pdf="results/figures/embeddings.pdf",
    log:
        "logs/plot_embeddings.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(embeddings=embedding_names),
        code=runs("analysis.sound_figures.plot_embeddings"),
    script:
        "../workflow_scripts/plot_embeddings.py"


rule plot_similarity:
    input:
        similarity="results/analysis/similarity.csv",
    output:
        figure=report("results/figures/similarity.svg", caption="captions/similarity.rst", category="Sounds"),
        pdf="results/figures/similarity.pdf",
    log:
        "logs/plot_similarity.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.sound_figures.plot_similarity"),
    script:
        "../workflow_scripts/plot_similarity.py"
