"""
Probes on frozen features.

REQUIRED INPUTS: resources/datasets/<dataset>/clips.csv; the features of every seed of an encoder setting.
OUTPUTS: results/probes/<task>/<setting>.csv: seed, fold, metric, score, epoch, setting.
"""


def clips_of_task(wildcards):
    return f"resources/datasets/{TASKS[wildcards.task].dataset}/clips.csv"


def features_of_task(wildcards):
    folder = f"results/features/{TASKS[wildcards.task].dataset}/{wildcards.setting}"
    return [f"{folder}/seed={seed}.npy" for seed in seeds_of(wildcards.setting)]


rule train_probes:
    input:
        clips=clips_of_task,
        features=features_of_task,
    output:
        scores="results/probes/{task}/{setting}.csv",
    log:
        "logs/train_probes/{task}_{setting}.log",
    benchmark:
        "logs/train_probes/{task}_{setting}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("train_probes"),
    message:
        "Probing {wildcards.setting}: {wildcards.task}"
    script:
        "../workflow_scripts/train_probes.py"
