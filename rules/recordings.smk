"""
Baselines: encoders that are trained on recordings.

REQUIRED INPUTS: what config's recordings.<name>.path names; impulse responses, when an augmentation asks for them.
OUTPUTS: resources/recordings/<name>/recordings.csv with the decoded sounds beside it; results/encoders/<name>/seed=<s>/ as of
any other encoder.
"""


def recordings_path(wildcards):
    return CONFIG.recordings[wildcards.recordings].path


def decoded_recordings(wildcards):
    return f"resources/recordings/{REAL[wildcards.real].recordings}/recordings.csv"


rule decode_recordings:
    input:
        path=recordings_path,
    output:
        manifest="resources/recordings/{recordings}/recordings.csv",
    log:
        "logs/decode_recordings/{recordings}.log",
    benchmark:
        "logs/decode_recordings/{recordings}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 16
    params:
        **stage("decode_recordings"),
    message:
        "Decoding recordings {wildcards.recordings}"
    script:
        "../workflow_scripts/decode_recordings.py"


rule pretrain_on_recordings:
    input:
        recordings=decoded_recordings,
        impulse_responses=impulse_responses,
    output:
        encoder="results/encoders/{real}/seed={seed}/encoder.safetensors",
        card="results/encoders/{real}/seed={seed}/encoder.json",
        history="results/encoders/{real}/seed={seed}/history.csv",
    log:
        "logs/pretrain_on_recordings/{real}_seed={seed}.log",
    benchmark:
        "logs/pretrain_on_recordings/{real}_seed={seed}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        gpu=GPUS,
    params:
        **stage("pretrain_on_recordings"),
    message:
        "Pretraining on recordings: {wildcards.real}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/pretrain_on_recordings.py"
