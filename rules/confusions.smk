"""
What probes take for what, in the tasks of probe.confusions.

REQUIRED INPUTS: results/predictions/<task>/<setting>.csv of the probes that are scored.
OUTPUTS: results/confusions/<task>/<setting>.csv: seed, fold, truth, predicted, clips; of all of them,
results/confusions/recalls.csv (a row per task, encoder and class) and pairs.csv (the classes that are confused most);
results/figures/confusions_<task>.svg and .pdf.
"""


def confused_tasks():
    """The tasks that are asked for and are probed."""
    return [task for task in CONFIG.probe.confusions if task in CONFIG.tasks]


def confusions_of_task(wildcards):
    """The confusions of every encoder in a task."""
    return [f"results/confusions/{wildcards.task}/{setting}.csv" for setting in SETTINGS]


def confusions_of_tasks(_wildcards):
    """The confusions of every encoder in all of these tasks."""
    return [f"results/confusions/{task}/{setting}.csv" for task in confused_tasks() for setting in SETTINGS]


def confusion_files():
    """What a run makes of confusions."""
    return ["results/confusions/recalls.csv", "results/confusions/pairs.csv"] if confused_tasks() else []


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


rule plot_confusions:
    input:
        confusions=confusions_of_task,
    output:
        figure=report("results/figures/confusions_{task}.svg", caption="captions/confusions.rst", category="Scores"),
        pdf="results/figures/confusions_{task}.pdf",
    log:
        "logs/plot_confusions/{task}.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.score_figures.plot_confusions"),
    script:
        "../workflow_scripts/plot_confusions.py"
