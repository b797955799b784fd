"""
Figures.

REQUIRED INPUTS: results/table.csv and the cards of the encoders; the histories of the trained encoders.
OUTPUTS: results/figures/scores_by_delta.svg; results/figures/training.svg, when something is trained.
"""


def training_figure():
    return ["results/figures/training.svg"] if TRAINED else []


def analysis_files():
    """What the whole study has beside its table: the sounds that are looked at, and what is measured of them."""
    return [*sound_files(SOUND_SETS), *tagging_files(), *listening_files(), *confusion_files(), *spectra_files()]


rule plot_scores:
    input:
        table="results/table.csv",
        encoders=encoder_files(SETTINGS, "encoder.json"),
    output:
        figure="results/figures/scores_by_delta.svg",
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
        figure="results/figures/training.svg",
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
