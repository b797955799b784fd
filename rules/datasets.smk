"""
Downstream datasets.

REQUIRED INPUTS: the network, or what config's datasets.<name>.path names; nothing for those that a package ships.
OUTPUTS: resources/downloads/<dataset>/<file>; resources/datasets/<dataset>/clips.csv, logmel.npy, dataset.json; on
demand, results/hear_tasks/<task>-doppelgangers-full, the task in the format of the HEAR benchmark.
"""


def dataset_sources(wildcards):
    return inputs_of(CONFIG, wildcards.dataset)


def task_sources(wildcards):
    return inputs_of(CONFIG, TASKS[wildcards.task].dataset)


rule download:
    output:
        archive="resources/downloads/{dataset}/{file}",
    log:
        "logs/download/{dataset}_{file}.log",
    benchmark:
        "logs/download/{dataset}_{file}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    resources:
        downloads=1,
    params:
        **stage("download"),
    message:
        "Downloading {wildcards.dataset}: {wildcards.file}"
    script:
        "../workflow_scripts/download.py"


rule prepare:
    input:
        sources=dataset_sources,
    output:
        clips="resources/datasets/{dataset}/clips.csv",
        logmel="resources/datasets/{dataset}/logmel.npy",
        card="resources/datasets/{dataset}/dataset.json",
    log:
        "logs/prepare/{dataset}.log",
    benchmark:
        "logs/prepare/{dataset}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    params:
        **stage("prepare"),
    message:
        "Preparing {wildcards.dataset}"
    script:
        "../workflow_scripts/prepare.py"


rule write_hear_task:
    input:
        sources=task_sources,
    output:
        folder=directory("results/hear_tasks/{task}-doppelgangers-full"),
    log:
        "logs/write_hear_task/{task}.log",
    benchmark:
        "logs/write_hear_task/{task}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    params:
        **stage("write_hear_task"),
    message:
        "Writing {wildcards.task} in the format of HEAR"
    script:
        "../workflow_scripts/write_hear_task.py"
