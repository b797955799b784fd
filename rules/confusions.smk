"""
What probes take for what, in the tasks of probe.confusions.

REQUIRED INPUTS: results/predictions/<task>/<setting>.csv of the probes that are scored.
OUTPUTS: results/confusions/<task>/<setting>.csv: seed, fold, truth, predicted, clips; of all of them,
results/confusions/recalls.csv (a row per task, encoder and class) and pairs.csv (the classes that are confused most).
"""


def confusions_of_tasks(_wildcards):
    """The confusions of every encoder in the tasks that are asked for and are probed."""
    tasks = [task for task in CONFIG.probe.confusions if task in CONFIG.tasks]
    return [f"results/confusions/{task}/{setting}.csv" for task in tasks for setting in SETTINGS]


def confusion_files():
    """What a run makes of confusions."""
    return ["results/confusions/recalls.csv", "results/confusions/pairs.csv"] if confusions_of_tasks(None) else []


rule measure_confusions:
    input:
        predictions="results/predictions/{task}/{setting}.csv",
    output:
        confusions="results/confusions/{task}/{setting}.csv",
    log:
        "logs/measure_confusions/{task}_{setting}.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("evaluation.confusions.measure_confusions"),
    script:
        "../workflow_scripts/measure_confusions.py"


rule summarize_confusions:
    input:
        confusions=confusions_of_tasks,
    output:
        recalls="results/confusions/recalls.csv",
        pairs="results/confusions/pairs.csv",
    log:
        "logs/summarize_confusions.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("evaluation.confusions.summarize_confusions"),
    script:
        "../workflow_scripts/summarize_confusions.py"
