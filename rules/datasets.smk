"""
Downstream datasets.

REQUIRED INPUTS: the network, or what config's datasets.<name>.path names; nothing for those that a package ships.
OUTPUTS: resources/archives/<dataset>/<file>, links to the archives in resources/downloads, which no job deletes;
resources/datasets/<dataset>/clips.csv, logmel.npy, dataset.json.
"""

from doppelgangers.datasets.records import source_of


def archive(wildcards):
    """What is known of the archive that a job fetches."""
    archives = DATASETS[wildcards.dataset].archives
    return plain(next(archive for archive in archives if archive.file == wildcards.file))


def source(wildcards):
    """State of the file that a job copies, when the url is one on this machine."""
    return source_of(archive(wildcards)["url"])


def licence(wildcards):
    return DATASETS[wildcards.dataset].licence


rule download:
    output:
        link="resources/archives/{dataset}/{file}",
    log:
        "logs/download/{dataset}_{file}.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        downloads=1,
    params:
        config=reads("datasets.{dataset}.url", "datasets.{dataset}.checksum", archive=archive, source=source, licence=licence),
        code=runs("datasets.download.download"),
    script:
        "../workflow_scripts/download.py"


rule prepare:
    input:
        files=dataset_files,
    output:
        clips="resources/datasets/{dataset}/clips.csv",
        logmel="resources/datasets/{dataset}/logmel.npy",
        card="resources/datasets/{dataset}/dataset.json",
    log:
        "logs/prepare/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(name for name, row in DATASETS.items() if row.module),
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("datasets.{dataset}", row=dataset_row, contents=dataset_contents),
        code=runs("datasets.prepare.prepare", dataset_reader),
    script:
        "../workflow_scripts/prepare.py"
