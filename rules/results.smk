"""
Results.

REQUIRED INPUTS: the encoders' cards and the scores of their probes.
OUTPUTS: results/scores.csv (long), results/table.csv (wide).
"""


def all_cards(_wildcards):
    return [f"results/encoders/{setting}/seed={seed}/encoder.json" for setting in SETTINGS for seed in seeds_of(setting)]


def all_probes(_wildcards):
    return [f"results/probes/{task}/{setting}.csv" for task in CONFIG.tasks for setting in SETTINGS]


rule collect_scores:
    input:
        encoders=all_cards,
        probes=all_probes,
    output:
        scores="results/scores.csv",
    log:
        "logs/collect_scores.log",
    benchmark:
        "logs/collect_scores.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("collect_scores"),
    message:
        "Collecting scores"
    script:
        "../workflow_scripts/collect_scores.py"


rule make_table:
    input:
        scores="results/scores.csv",
    output:
        table="results/table.csv",
    log:
        "logs/make_table.log",
    benchmark:
        "logs/make_table.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("make_table"),
    message:
        "Making the table"
    script:
        "../workflow_scripts/make_table.py"
