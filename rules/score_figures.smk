"""
Figures of differences of scores.

REQUIRED INPUTS: results/comparisons.csv; of those by pairs seen also results/table.csv.
OUTPUTS: results/figures/comparisons.svg and .pdf; snapshots.svg and .pdf, where pretrain.snapshots asks for some.
"""


rule plot_comparisons:
    input:
        comparisons="results/comparisons.csv",
    output:
        figure=report("results/figures/comparisons.svg", caption="captions/comparisons.rst", category="Scores"),
        pdf="results/figures/comparisons.pdf",
    log:
        "logs/plot_comparisons.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.score_figures.plot_comparisons"),
    script:
        "../workflow_scripts/plot_comparisons.py"


rule plot_snapshots:
    input:
        comparisons="results/comparisons.csv",
        table="results/table.csv",
    output:
        figure=report("results/figures/snapshots.svg", caption="captions/snapshots.rst", category="Scores"),
        pdf="results/figures/snapshots.pdf",
    log:
        "logs/plot_snapshots.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("analysis.score_figures.plot_snapshots"),
    script:
        "../workflow_scripts/plot_snapshots.py"
