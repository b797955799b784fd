"""
Frozen features, probes, the table; and tasks in the format of the HEAR benchmark.

REQUIRED INPUTS: an encoder; resources/datasets/<dataset>/logmel.npy and clips.csv. An encoder of somebody else
(encoders.peers) takes the sounds themselves: what the dataset was made from.
OUTPUTS: results/features/<dataset>/<setting>/seed=<s>.npy, one row per clip; results/probes/<task>/<setting>.csv: seed,
fold, metric, score, epoch, setting; results/scores.csv (long), results/table.csv (wide). On demand,
results/hear_tasks/<task>-doppelgangers-full.
"""

# The keys of the section probe that both kinds of probe read, and those of the linear one.
PROBE = ("probe.protocol", "probe.standardize", "probe.seed")
LINEAR = ("probe.epochs", "probe.batch_clips", "probe.learning_rate", "probe.weight_decay", "probe.warmup")


def clips_of_task(wildcards):
    return f"resources/datasets/{dataset_of(wildcards)}/clips.csv"


def features_of_task(wildcards):
    folder = f"results/features/{dataset_of(wildcards)}/{wildcards.setting}"
    return [f"{folder}/seed={seed}.npy" for seed in seeds_of(wildcards.setting)]


def tasks_with(kind):
    """The tasks that a kind of probe is trained for."""
    asked = CONFIG.probe.kind
    return [name for name, task in TASKS.items() if kind == (task.probe if asked == "suite" else asked)]


def all_probes(_wildcards):
    return [f"results/probes/{task}/{setting}.csv" for task in CONFIG.tasks for setting in SETTINGS]


def primary_metrics(_wildcards):
    """The metric of each task that the table shows."""
    return {task: TASKS[task].metrics[0] for task in CONFIG.tasks}


rule extract_features:
    input:
        encoder="results/encoders/{setting}/seed={seed}/encoder.safetensors",
        card="results/encoders/{setting}/seed={seed}/encoder.json",
        logmel="resources/datasets/{dataset}/logmel.npy",
    output:
        features="results/features/{dataset}/{setting}/seed={seed}.npy",
    log:
        "logs/extract_features/{dataset}_{setting}_seed={seed}.log",
    wildcard_constraints:
        setting=one_of(OURS),
    conda:
        "../envs/doppelgangers.yaml"
    params:
        config=reads(),
        code=runs("evaluation.features.extract_features"),
    script:
        "../workflow_scripts/extract_features.py"


rule register_peer:
    output:
        card="results/encoders/{setting}/seed=0/encoder.json",
    log:
        "logs/register_peer/{setting}.log",
    wildcard_constraints:
        setting=one_of(PEERS),
    conda:
        "../envs/doppelgangers.yaml"
    params:
        config=reads("encoders.peers.{setting}"),
        code=runs("evaluation.peers.register_peer"),
    script:
        "../workflow_scripts/register_peer.py"


rule extract_peer_features:
    input:
        card="results/encoders/{setting}/seed=0/encoder.json",
        clips="resources/datasets/{dataset}/clips.csv",
        files=dataset_files,
    output:
        features="results/features/{dataset}/{setting}/seed=0.npy",
    log:
        "logs/extract_peer_features/{dataset}_{setting}.log",
    wildcard_constraints:
        setting=one_of(PEERS),
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    resources:
        gpu=1,
    params:
        config=reads("encoders.peers.{setting}", "datasets.{dataset}.checksum", row=dataset_row),
        code=runs("evaluation.peers.extract_peer_features", dataset_reader),
    script:
        "../workflow_scripts/extract_peer_features.py"


rule write_hear_task:
    input:
        clips=clips_of_task,
        files=dataset_files,
    output:
        folder=directory("results/hear_tasks/{task}-doppelgangers-full"),
    log:
        "logs/write_hear_task/{task}.log",
    conda:
        "../envs/doppelgangers.yaml"
    threads: 4
    params:
        config=reads("datasets.{dataset}.checksum", row=dataset_row, task=task_row),
        code=runs("evaluation.export.write_hear_task", dataset_reader),
    script:
        "../workflow_scripts/write_hear_task.py"


rule train_linear_probes:
    input:
        clips=clips_of_task,
        features=features_of_task,
    output:
        scores="results/probes/{task}/{setting}.csv",
    log:
        "logs/train_linear_probes/{task}_{setting}.log",
    wildcard_constraints:
        task=one_of(tasks_with("linear")),
    conda:
        "../envs/doppelgangers.yaml"
    params:
        config=reads(*PROBE, *LINEAR, task=task_row),
        code=runs("evaluation.probe.train_linear_probes"),
    script:
        "../workflow_scripts/train_linear_probes.py"


rule train_mlp_probes:
    input:
        clips=clips_of_task,
        features=features_of_task,
    output:
        scores="results/probes/{task}/{setting}.csv",
    log:
        "logs/train_mlp_probes/{task}_{setting}.log",
    wildcard_constraints:
        task=one_of(tasks_with("mlp")),
    conda:
        "../envs/doppelgangers.yaml"
    params:
        config=reads(*PROBE, "mlp", task=task_row),
        code=runs("evaluation.probe.train_mlp_probes"),
    script:
        "../workflow_scripts/train_mlp_probes.py"


rule collect_scores:
    input:
        encoders=encoder_files(SETTINGS, "encoder.json"),
        probes=all_probes,
    output:
        scores="results/scores.csv",
    log:
        "logs/collect_scores.log",
    conda:
        "../envs/doppelgangers.yaml"
    params:
        config=reads(),
        code=runs("evaluation.table.collect_scores"),
    script:
        "../workflow_scripts/collect_scores.py"


rule make_table:
    input:
        scores="results/scores.csv",
    output:
        table="results/table.csv",
    log:
        "logs/make_table.log",
    conda:
        "../envs/doppelgangers.yaml"
    params:
        config=reads(metrics=primary_metrics),
        code=runs("evaluation.table.make_table"),
    script:
        "../workflow_scripts/make_table.py"
