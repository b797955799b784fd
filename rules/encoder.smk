"""
Encoders.

REQUIRED INPUTS: results/pairs/<architecture>-<delta>/manifest.json, when training reads a store; impulse responses, when an
augmentation asks for them; a released encoder, for one of encoders.released.
OUTPUTS: results/encoders/<setting>/seed=<s>/encoder.safetensors, encoder.json; history.csv of a trained one. Beside
them, not declared: tensorboard/, and checkpoint.pt while training.
"""


def stored_pairs(wildcards):
    made_of = SYNTHETIC[wildcards.synthetic]
    manifest = f"results/pairs/{made_of['architecture']}-{made_of['delta']}/manifest.json"
    return manifest if CONFIG.pretrain.source == "store" else []


def impulse_responses(wildcards):
    if wildcards.get("real"):
        return impulse_responses_of(CONFIG, REAL[wildcards.real].augmentation)
    return impulse_responses_of(CONFIG, SYNTHETIC[wildcards.synthetic]["augmentation"])


def released_weights(wildcards):
    return released_encoder(RELEASED[wildcards.released])


def released_card(wildcards):
    return str(Path(released_weights(wildcards)).with_suffix(".json"))


GPUS = 1 if CONFIG.pretrain.gpus == "auto" else CONFIG.pretrain.gpus


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


rule adopt:
    input:
        encoder=released_weights,
        card=released_card,
    output:
        encoder="results/encoders/{released}/seed=0/encoder.safetensors",
        card="results/encoders/{released}/seed=0/encoder.json",
    log:
        "logs/adopt/{released}.log",
    benchmark:
        "logs/adopt/{released}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("adopt"),
    message:
        "Released encoder {wildcards.released}"
    script:
        "../workflow_scripts/adopt.py"


rule pretrain:
    input:
        store=stored_pairs,
        impulse_responses=impulse_responses,
    output:
        encoder="results/encoders/{synthetic}/seed={seed}/encoder.safetensors",
        card="results/encoders/{synthetic}/seed={seed}/encoder.json",
        history="results/encoders/{synthetic}/seed={seed}/history.csv",
    log:
        "logs/pretrain/{synthetic}_seed={seed}.log",
    benchmark:
        "logs/pretrain/{synthetic}_seed={seed}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        gpu=GPUS,
    params:
        **stage("pretrain"),
    message:
        "Pretraining: {wildcards.synthetic}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/pretrain.py"
