"""
Figures.

REQUIRED INPUTS: results/table.csv and the encoders' cards; the histories of the trained encoders.
OUTPUTS: results/figures/scores_by_delta.png; results/figures/training.png, when something is trained.
"""


def all_histories(_wildcards):
    return [f"results/encoders/{setting}/seed={seed}/history.csv" for setting in TRAINED for seed in seeds_of(setting)]


def training_figure():
    return ["results/figures/training.png"] if TRAINED else []


rule plot_scores:
    input:
        table="results/table.csv",
        encoders=all_cards,
    output:
        figure="results/figures/scores_by_delta.png",
    log:
        "logs/plot_scores.log",
    benchmark:
        "logs/plot_scores.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("plot_scores"),
    message:
        "Drawing scores by delta"
    script:
        "../workflow_scripts/plot_scores.py"


rule plot_training:
    input:
        histories=all_histories,
    output:
        figure="results/figures/training.png",
    log:
        "logs/plot_training.log",
    benchmark:
        "logs/plot_training.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("plot_training"),
    message:
        "Drawing the trainings"
    script:
        "../workflow_scripts/plot_training.py"
