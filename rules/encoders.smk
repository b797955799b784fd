"""
Encoders that are not trained here: the random initialisation, and those that were trained earlier.

REQUIRED INPUTS: the folder of a released encoder, for one of encoders.released.
OUTPUTS: results/encoders/<setting>/seed=<s>/encoder.safetensors and encoder.json.
"""


def released_files(wildcards):
    """Weights and card of a released encoder."""
    weights = released_encoder(RELEASED[wildcards.setting])
    return [weights, weights.removesuffix(".safetensors") + ".json"]


def released_weights(wildcards):
    return own_files(released_files(wildcards))[0]


def released_card(wildcards):
    return own_files(released_files(wildcards))[1]


def released_contents(wildcards):
    return contents_of_files(released_files(wildcards))


rule initialize:
    output:
        encoder="results/encoders/random_init/seed={seed}/encoder.safetensors",
        card="results/encoders/random_init/seed={seed}/encoder.json",
    log:
        "logs/initialize/seed={seed}.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("encoder"),
        code=runs("encoders.initialize.initialize"),
    script:
        "../workflow_scripts/initialize.py"


rule adopt:
    input:
        encoder=released_weights,
        card=released_card,
    output:
        encoder="results/encoders/{setting}/seed=0/encoder.safetensors",
        card="results/encoders/{setting}/seed=0/encoder.json",
    log:
        "logs/adopt/{setting}.log",
    wildcard_constraints:
        setting=one_of(RELEASED),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(contents=released_contents),
        code=runs("encoders.adopt.adopt"),
    script:
        "../workflow_scripts/adopt.py"
