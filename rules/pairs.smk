"""
Pairs of doppelgängers.

REQUIRED INPUTS: none.
OUTPUTS: results/pairs/<architecture>-<delta>/manifest.json with its shards beside it (only when training reads a
store); samples/*.wav to listen to; results/listen.html.
"""


def sample_folders(_wildcards=None):
    kinds = dict.fromkeys(f"{made_of['architecture']}-{made_of['delta']}" for made_of in SYNTHETIC.values())
    return [f"results/pairs/{kind}/samples" for kind in kinds]


def listening_page():
    return ["results/listen.html"] if SYNTHETIC else []


rule generate_pairs:
    output:
        manifest="results/pairs/{architecture}-{delta}/manifest.json",
    log:
        "logs/generate_pairs/{architecture}-{delta}.log",
    benchmark:
        "logs/generate_pairs/{architecture}-{delta}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        gpu=1,
    params:
        **stage("generate_pairs"),
    message:
        "Synthesizing pairs: {wildcards.architecture}, delta {wildcards.delta}"
    script:
        "../workflow_scripts/generate_pairs.py"


rule sample_pairs:
    output:
        folder=directory("results/pairs/{architecture}-{delta}/samples"),
    log:
        "logs/sample_pairs/{architecture}-{delta}.log",
    benchmark:
        "logs/sample_pairs/{architecture}-{delta}.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("sample_pairs"),
    message:
        "Writing pairs to listen to: {wildcards.architecture}, delta {wildcards.delta}"
    script:
        "../workflow_scripts/sample_pairs.py"


rule write_listening_page:
    input:
        folders=sample_folders,
    output:
        page="results/listen.html",
    log:
        "logs/write_listening_page.log",
    benchmark:
        "logs/write_listening_page.benchmark.tsv"
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1
    params:
        **stage("write_listening_page"),
    message:
        "Writing the listening page"
    script:
        "../workflow_scripts/write_listening_page.py"
