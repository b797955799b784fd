"""
Contrastive pretraining, on doppelgängers and, for the baselines, on recordings.

REQUIRED INPUTS: results/pairs/<architecture>-<delta>/manifest.json, when training reads a store, and for encoders.selected the
choice of its pairs, selected-<name>.csv; what config's
recordings.<name>.path names; impulse responses, when an augmentation asks for them.
OUTPUTS: results/encoders/<setting>/seed=<s>/encoder.safetensors, encoder.json, history.csv, and with pretrain.snapshots
after-<pairs>.safetensors and .json; beside them, not declared, tensorboard/, and checkpoint.pt and snapshots/ while training.
resources/recordings/<name>/recordings.csv with the decoded sounds beside it.
"""

# Trainings, and what they wait for, take longest: they begin before all else that could (priority).

# The keys of pretraining that do not say which pairs of doppelgängers there are.
TRAINING = [f"pretrain.{key}" for key in type(CONFIG.pretrain).model_fields if key not in ("source", "gpu_pairs")]

# What a training leaves on its way.
SNAPSHOT_FILES = [
    f"results/encoders/{{setting}}/seed={{seed}}/{snapshot_file(pairs, file)}"
    for pairs in CONFIG.pretrain.snapshots
    for file in ("encoder.safetensors", "encoder.json")
]

# Of several nodes SLURM's plugin for Snakemake starts a job on the first alone, with the allocation of all, if it is said to start
# the others itself; and each shall have as many GPUs.
# On a cluster a training has two cores: one for the sounds, one for the encoder.
ON_CLUSTER = {"nodes": CONFIG.pretrain.nodes, "cpus_per_task": 2}
if CONFIG.pretrain.nodes > 1:
    ON_CLUSTER |= {"mpi": "srun", "tasks": CONFIG.pretrain.nodes, "tasks_per_gpu": 0}
    if CONFIG.pretrain.gpus != 0:
        ON_CLUSTER["slurm_extra"] = f"--gpus-per-node={CONFIG.pretrain.gpus // CONFIG.pretrain.nodes}"


def gpus_of_training(wildcards):
    return one_gpu(wildcards) if CONFIG.pretrain.gpus == "auto" else CONFIG.pretrain.gpus


def synthetic_encoder(wildcards):
    """Architecture, delta and augmentation of a job's encoder, and which pairs are kept, if not all."""
    encoder = SYNTHETIC[wildcards.setting]
    return {key: value for key, value in plain(encoder).items() if key != "setting" and (key != "kept" or value)}


def stored_pairs(wildcards):
    encoder = SYNTHETIC[wildcards.setting]
    return f"{encoder.pairs}/manifest.json" if CONFIG.pretrain.source == "store" or encoder.kept else []


def selected_pairs(wildcards):
    """The numbers of the pairs that are kept, if not all are."""
    encoder = SYNTHETIC[wildcards.setting]
    return f"{encoder.pairs}/selected-{encoder.name}.csv" if encoder.kept else []


def impulse_response_files(wildcards):
    encoder = SYNTHETIC.get(wildcards.setting) or REAL[wildcards.setting]
    return impulse_responses_of(CONFIG, encoder.augmentation)


def impulse_responses(wildcards):
    return own_files(impulse_response_files(wildcards))


def impulse_response_contents(wildcards):
    return contents_of_files(impulse_response_files(wildcards))


def recordings_path(wildcards):
    return own_files([CONFIG.recordings[wildcards.recordings].path])[0]


def recordings_contents(wildcards):
    return contents_of_files([CONFIG.recordings[wildcards.recordings].path])


def decoded_recordings(wildcards):
    return f"resources/recordings/{REAL[wildcards.setting].recordings}/recordings.csv"


rule pretrain:
    input:
        store=stored_pairs,
        selected=selected_pairs,
        impulse_responses=impulse_responses,
    output:
        encoder="results/encoders/{setting}/seed={seed}/encoder.safetensors",
        card="results/encoders/{setting}/seed={seed}/encoder.json",
        history="results/encoders/{setting}/seed={seed}/history.csv",
        snapshots=SNAPSHOT_FILES,
    log:
        "logs/pretrain/{setting}_seed={seed}.log",
    wildcard_constraints:
        setting=one_of(SYNTHETIC),
    cache: SHARED
    priority: 1
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1  # on a CPU two trainings side by side come further than one with two threads; --set-threads for one alone
    resources:
        **ON_CLUSTER,
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=gpus_of_training,
    params:
        config=reads(
            *SOUND,
            "synth.peak",
            "encoder",
            "pretrain",
            made_of=synthetic_encoder,
            contents=impulse_response_contents,
        ),
        code=runs("pretraining.pretrain.pretrain"),
    script:
        "../workflow_scripts/pretrain.py"


rule decode_recordings:
    input:
        path=recordings_path,
    output:
        manifest="resources/recordings/{recordings}/recordings.csv",
    log:
        "logs/decode_recordings/{recordings}.log",
    cache: SHARED
    priority: 1
    conda:
        "../envs/doppelgangers.yaml"
    threads: 16
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("recordings.{recordings}", contents=recordings_contents),
        code=runs("pretraining.recordings.decode_recordings"),
    script:
        "../workflow_scripts/decode_recordings.py"


rule pretrain_on_recordings:
    input:
        recordings=decoded_recordings,
        impulse_responses=impulse_responses,
    output:
        encoder="results/encoders/{setting}/seed={seed}/encoder.safetensors",
        card="results/encoders/{setting}/seed={seed}/encoder.json",
        history="results/encoders/{setting}/seed={seed}/history.csv",
        snapshots=SNAPSHOT_FILES,
    log:
        "logs/pretrain_on_recordings/{setting}_seed={seed}.log",
    wildcard_constraints:
        setting=one_of(REAL),
    cache: SHARED
    priority: 1
    conda:
        "../envs/doppelgangers.yaml"
    threads: 1  # on a CPU two trainings side by side come further than one with two threads; --set-threads for one alone
    resources:
        **ON_CLUSTER,
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=gpus_of_training,
    params:
        config=reads(
            "encoders.real.{setting}",
            "synth.duration_s",
            "encoder",
            *TRAINING,
            contents=impulse_response_contents,
        ),
        code=runs("pretraining.pretrain.pretrain_on_recordings"),
    script:
        "../workflow_scripts/pretrain_on_recordings.py"
