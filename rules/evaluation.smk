"""
Frozen features, probes, the table.

REQUIRED INPUTS: an encoder; resources/datasets/<dataset>/logmel.npy and clips.csv.
OUTPUTS: results/features/<dataset>/<setting>/seed=<s>.npy, one row per clip; results/probes/<task>/<setting>.csv: seed,
fold, metric, score, epoch, setting, probe, and with probe.also results/probes/<task>_<kind>/<setting>.csv; likewise
results/predictions/<task>/<setting>.csv: what the same probes take each test clip for; results/scores.csv (long), results/table.csv (wide),
results/comparisons.csv (each encoder less those of comparisons.against).
"""

# The keys of the section probe that ARCH's and HEAR's probes read, and those of ARCH's.
PROBE = ("probe.protocol", "probe.standardize", "probe.seed")
LINEAR = ("probe.epochs", "probe.batch_clips", "probe.learning_rate", "probe.weight_decay", "probe.warmup")


def clips_of_task(wildcards):
    return f"resources/datasets/{dataset_of(wildcards)}/clips.csv"


def features_of_task(wildcards):
    folder = f"results/features/{dataset_of(wildcards)}/{wildcards.setting}"
    return [f"{folder}/seed={seed}.npy" for seed in seeds_of(CONFIG, wildcards.setting)]


def tasks_with(*kinds):
    """The columns of the table that probes of these kinds are trained for; a rule's wildcard calls them tasks."""
    return [name for name, task in COLUMNS.items() if task.probe in kinds]


def probed_row(wildcards):
    """The row of the catalogue of a job's task, with the kind of its probe."""
    return plain(COLUMNS[wildcards.task])


def all_probes(_wildcards):
    return [f"results/probes/{task}/{setting}.csv" for task in columns_of(CONFIG, CONFIG.tasks) for setting in SETTINGS]


def primary_metrics(_wildcards):
    """The metric of each column of the table."""
    return {name: task.metrics[0] for name, task in columns_of(CONFIG, CONFIG.tasks).items()}


def lengths_of_clips(wildcards):
    """Where the length of each clip is, if the mean over its patches needs it."""
    return f"resources/datasets/{wildcards.dataset}/clips.csv" if CONFIG.features.pooling == "masked_mean" else []


rule extract_features:
    input:
        encoder=part_of_encoder("encoder.safetensors"),
        card=part_of_encoder("encoder.json"),
        logmel="resources/datasets/{dataset}/logmel.npy",
        clips=lengths_of_clips,
    output:
        features="results/features/{dataset}/{setting}/seed={seed}.npy",
    log:
        "logs/extract_features/{dataset}_{setting}_seed={seed}.log",
    wildcard_constraints:
        setting=one_of(OURS),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads("features"),
        code=runs("evaluation.features.extract_features"),
    script:
        "../workflow_scripts/extract_features.py"


rule train_linear_probes:
    input:
        clips=clips_of_task,
        features=features_of_task,
    output:
        scores="results/probes/{task}/{setting}.csv",
        predictions="results/predictions/{task}/{setting}.csv",
    log:
        "logs/train_linear_probes/{task}_{setting}.log",
    wildcard_constraints:
        task=one_of(tasks_with("linear")),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(*PROBE, *LINEAR, task=probed_row),
        code=runs("evaluation.probe.train_linear_probes"),
    script:
        "../workflow_scripts/train_linear_probes.py"


rule train_mlp_probes:
    input:
        clips=clips_of_task,
        features=features_of_task,
    output:
        scores="results/probes/{task}/{setting}.csv",
        predictions="results/predictions/{task}/{setting}.csv",
    log:
        "logs/train_mlp_probes/{task}_{setting}.log",
    wildcard_constraints:
        task=one_of(tasks_with("mlp", "hear_linear")),
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=one_gpu,
    params:
        config=reads(*PROBE, "mlp", task=probed_row),
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
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("evaluation.table.collect_scores"),
    script:
        "../workflow_scripts/collect_scores.py"


rule make_table:
    input:
        scores="results/scores.csv",
    output:
        table=report("results/table.csv", caption="captions/table.rst", category="Scores"),
    log:
        "logs/make_table.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(metrics=primary_metrics),
        code=runs("evaluation.table.make_table"),
    script:
        "../workflow_scripts/make_table.py"


rule compare_scores:
    input:
        scores="results/scores.csv",
    output:
        comparisons=report("results/comparisons.csv", caption="captions/comparisons_table.rst", category="Scores"),
    log:
        "logs/compare_scores.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("comparisons.against", "analysis.resamples", metrics=primary_metrics),
        code=runs("evaluation.comparisons.compare_scores"),
    script:
        "../workflow_scripts/compare_scores.py"
