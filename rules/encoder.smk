"""
Encoders.

REQUIRED INPUTS: results/pairs/<architecture>-<delta>/manifest.json, when training reads a store.
OUTPUTS: results/encoders/<setting>/seed=<s>/encoder.safetensors, encoder.json; history.csv of a trained one. Beside
them, not declared: tensorboard/, and checkpoint.pt while training.
"""


def stored_pairs(wildcards):
    if CONFIG.pretrain.source == "stream":
        return []
    return f"results/pairs/{wildcards.architecture}-{wildcards.delta}/manifest.json"


rule initialize:
    output:
        encoder="results/encoders/random_init/seed={seed}/encoder.safetensors",
        card="results/encoders/random_init/seed={seed}/encoder.json",
    log:
        "logs/initialize/seed={seed}.log",
    benchmark:
        "logs/initialize/seed={seed}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("initialize"),
    message:
        "Random initialisation, seed {wildcards.seed}"
    script:
        "../workflow_scripts/initialize.py"


rule pretrain:
    input:
        store=stored_pairs,
    output:
        encoder="results/encoders/{architecture}-{delta}/seed={seed}/encoder.safetensors",
        card="results/encoders/{architecture}-{delta}/seed={seed}/encoder.json",
        history="results/encoders/{architecture}-{delta}/seed={seed}/history.csv",
    log:
        "logs/pretrain/{architecture}-{delta}_seed={seed}.log",
    benchmark:
        "logs/pretrain/{architecture}-{delta}_seed={seed}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        gpu=1,
    params:
        **stage("pretrain"),
    message:
        "Pretraining: {wildcards.architecture}, delta {wildcards.delta}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/pretrain.py"
