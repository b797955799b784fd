"""
Frozen features.

REQUIRED INPUTS: an encoder; resources/datasets/<dataset>/logmel.npy.
OUTPUTS: results/features/<dataset>/<setting>/seed=<s>.npy, one row per clip.
"""


rule extract_features:
    input:
        encoder="results/encoders/{setting}/seed={seed}/encoder.safetensors",
        card="results/encoders/{setting}/seed={seed}/encoder.json",
        logmel="resources/datasets/{dataset}/logmel.npy",
    output:
        features="results/features/{dataset}/{setting}/seed={seed}.npy",
    log:
        "logs/extract_features/{dataset}_{setting}_seed={seed}.log",
    benchmark:
        "logs/extract_features/{dataset}_{setting}_seed={seed}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("extract_features"),
    message:
        "Features of {wildcards.dataset}: {wildcards.setting}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/extract_features.py"
