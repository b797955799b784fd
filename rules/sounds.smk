"""
Sets of sounds that can be compared: of pairs, of datasets, of recordings, and noise; all as long, as loud and at 16 kHz.

REQUIRED INPUTS: prepared datasets and what they were made from; decoded recordings. No encoder.
OUTPUTS: results/analysis/sounds/<set>/sounds.npy, sounds.csv, sounds.json.
"""


def sets_of(*kinds):
    """Names of the sets of these kinds."""
    return [name for name, row in SOUND_SETS.items() if row.kind in kinds]


def set_of(wildcards):
    return SOUND_SETS[wildcards.sounds]


def clips_of_set(wildcards):
    return f"resources/datasets/{set_of(wildcards).source}/clips.csv"


def recordings_of_set(wildcards):
    return f"resources/recordings/{set_of(wildcards).source}/recordings.csv"


def pairs_of_set(wildcards):
    return {"architecture": set_of(wildcards).architecture, "delta": set_of(wildcards).delta}


def sound_files(names):
    """The sounds of these sets."""
    return [f"results/analysis/sounds/{name}/sounds.npy" for name in names]


rule sample_synthetic_sounds:
    output:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
        table="results/analysis/sounds/{sounds}/sounds.csv",
        about="results/analysis/sounds/{sounds}/sounds.json",
    log:
        "logs/sample_synthetic_sounds/{sounds}.log",
    wildcard_constraints:
        sounds=one_of(sets_of("synthetic")),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(*SOUND, "analysis.sounds", made_of=pairs_of_set),
        code=runs("analysis.sounds.sample_synthetic_sounds"),
    script:
        "../workflow_scripts/sample_synthetic_sounds.py"


rule sample_dataset_sounds:
    input:
        clips=clips_of_set,
        files=dataset_files,
    output:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
        table="results/analysis/sounds/{sounds}/sounds.csv",
        about="results/analysis/sounds/{sounds}/sounds.json",
    log:
        "logs/sample_dataset_sounds/{sounds}.log",
    wildcard_constraints:
        sounds=one_of(sets_of("dataset")),
    conda:
        "../envs/doppelgangers.yaml"
    threads: 2
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(
            "analysis.sounds", "synth.duration_s", "datasets.{dataset}.checksum", row=dataset_row, contents=dataset_contents
        ),
        code=runs("analysis.sounds.sample_dataset_sounds", dataset_reader),
    script:
        "../workflow_scripts/sample_dataset_sounds.py"


rule sample_recorded_sounds:
    input:
        recordings=recordings_of_set,
    output:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
        table="results/analysis/sounds/{sounds}/sounds.csv",
        about="results/analysis/sounds/{sounds}/sounds.json",
    log:
        "logs/sample_recorded_sounds/{sounds}.log",
    wildcard_constraints:
        sounds=one_of(sets_of("recordings")),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.sounds", "synth.duration_s"),
        code=runs("analysis.sounds.sample_recorded_sounds"),
    script:
        "../workflow_scripts/sample_recorded_sounds.py"


rule sample_noise:
    output:
        sounds="results/analysis/sounds/{sounds}/sounds.npy",
        table="results/analysis/sounds/{sounds}/sounds.csv",
        about="results/analysis/sounds/{sounds}/sounds.json",
    log:
        "logs/sample_noise/{sounds}.log",
    wildcard_constraints:
        sounds=one_of(sets_of("noise")),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.sounds", "synth.duration_s"),
        code=runs("analysis.sounds.sample_noise"),
    script:
        "../workflow_scripts/sample_noise.py"
