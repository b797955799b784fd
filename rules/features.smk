"""
Frozen features.

REQUIRED INPUTS: an encoder; resources/datasets/<dataset>/logmel.npy. An encoder of somebody else (encoders.hear) takes the
sounds themselves: resources/datasets/<dataset>/clips.csv and what it was made from.
OUTPUTS: results/features/<dataset>/<setting>/seed=<s>.npy, one row per clip.
"""


rule extract_features:
    input:
        encoder="results/encoders/{ours}/seed={seed}/encoder.safetensors",
        card="results/encoders/{ours}/seed={seed}/encoder.json",
        logmel="resources/datasets/{dataset}/logmel.npy",
    output:
        features="results/features/{dataset}/{ours}/seed={seed}.npy",
    log:
        "logs/extract_features/{dataset}_{ours}_seed={seed}.log",
    benchmark:
        "logs/extract_features/{dataset}_{ours}_seed={seed}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("extract_features"),
    message:
        "Features of {wildcards.dataset}: {wildcards.ours}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/extract_features.py"


rule register_peer:
    output:
        card="results/encoders/{peer}/seed=0/encoder.json",
    log:
        "logs/register_peer/{peer}.log",
    benchmark:
        "logs/register_peer/{peer}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("register_peer"),
    message:
        "Looking at encoder {wildcards.peer}"
    script:
        "../workflow_scripts/register_peer.py"


rule extract_peer_features:
    input:
        card="results/encoders/{peer}/seed=0/encoder.json",
        clips="resources/datasets/{dataset}/clips.csv",
        sources=dataset_sources,
    output:
        features="results/features/{dataset}/{peer}/seed=0.npy",
    log:
        "logs/extract_peer_features/{dataset}_{peer}.log",
    benchmark:
        "logs/extract_peer_features/{dataset}_{peer}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    resources:
        gpu=1,
    params:
        **stage("extract_peer_features"),
    message:
        "Features of {wildcards.dataset}: {wildcards.peer}"
    script:
        "../workflow_scripts/extract_peer_features.py"
