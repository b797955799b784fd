"""
Downstream datasets.

REQUIRED INPUTS: the network, or what config's datasets.<name>.path names; nothing for those that a package ships.
OUTPUTS: resources/downloads/<dataset>/archive; resources/datasets/<dataset>/clips.csv, logmel.npy, dataset.json.
"""


def dataset_source(wildcards):
    """The file or folder that a dataset is read from; none for one that a package ships."""
    source = getattr(CONFIG.datasets, wildcards.dataset)
    if source.path:
        return source.path
    if source.url or DATASETS[wildcards.dataset].url:
        return f"resources/downloads/{wildcards.dataset}/archive"
    return []


rule download:
    output:
        archive="resources/downloads/{dataset}/archive",
    log:
        "logs/download/{dataset}.log",
    benchmark:
        "logs/download/{dataset}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("download"),
    message:
        "Downloading {wildcards.dataset}"
    script:
        "../workflow_scripts/download.py"


rule prepare:
    input:
        source=dataset_source,
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
    threads: 1
    params:
        **stage("prepare"),
    message:
        "Preparing {wildcards.dataset}"
    script:
        "../workflow_scripts/prepare.py"
