"""
Pairs of doppelgängers.

REQUIRED INPUTS: none.
OUTPUTS: results/pairs/<architecture>-<delta>/manifest.json with its shards beside it (only when training reads a
store); samples/*.wav to listen to; results/listen.html.
"""

# What decides how a pair sounds by itself; a training's batches may scale it (synth.peak), too. The other keys of the section
# pairs say how many are stored, and how.
SOUND = (
    *("synth.duration_s", "synth.control_rate_hz", "synth.renderer"),
    *("pairs.seed", "pairs.perturbation", "pairs.factors", "pairs.ramp_pairs"),
)


def sample_folders(_wildcards):
    return list(dict.fromkeys(f"{encoder.pairs}/samples" for encoder in SYNTHETIC.values()))


def listening_page():
    return ["results/listen.html"] if SYNTHETIC else []


rule generate_pairs:
    output:
        manifest="results/pairs/{architecture}-{delta}/manifest.json",
    log:
        "logs/generate_pairs/{architecture}-{delta}.log",
    cache: SHARED
    priority: 1
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(*SOUND, "pairs.count", "pairs.shard_pairs"),
        code=runs("synthesis.pairs.generate_pairs"),
    script:
        "../workflow_scripts/generate_pairs.py"


rule sample_pairs:
    output:
        folder=directory("results/pairs/{architecture}-{delta}/samples"),
    log:
        "logs/sample_pairs/{architecture}-{delta}.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(*SOUND, "samples"),
        code=runs("synthesis.listen.sample_pairs"),
    script:
        "../workflow_scripts/sample_pairs.py"


rule write_listening_page:
    input:
        folders=sample_folders,
    output:
        page="results/listen.html",
    log:
        "logs/write_listening_page.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("synthesis.listen.write_listening_page"),
    script:
        "../workflow_scripts/write_listening_page.py"
