"""
Verdicts on the paper's claims, tables for papers, and the page that tells it all.

REQUIRED INPUTS: scores, table and comparisons; what was measured of the sounds; the figures; configs/claims.yaml (read with the
configuration).
OUTPUTS: results/claims.csv, results/table.md, results/table.tex, results/report.html.
"""


def claims_to_judge(_wildcards):
    """The claims, and the paper's tasks."""
    return {name: CLAIMS[name] for name in ("tasks", "claims")}


def published_scores(_wildcards):
    """The paper's figures."""
    return CLAIMS["published"]


def set_to_show(_wildcards):
    """The pairs whose features the page compares with each dataset's: of the middle delta."""
    deltas = sorted(CONFIG.analysis.deltas, key=float)
    return f"{CONFIG.analysis.architectures[0]}-{deltas[len(deltas) // 2]}"


def text_of_report(_wildcards):
    """What identifies the templates, which are no code that `runs` sees."""
    return contents_of(f"{workflow.basedir}/doppelgangers/report/page_template")


def measured_tables(_wildcards):
    """Tables of the sounds that the page shows, of confusions and of ratings where there are some."""
    tables = [*tagging_files(), *spectra_files(), *confusion_files(), *listening_files()]
    return [path for path in tables if path.endswith(".csv") and "uncertainty_values" not in path]


rule judge_claims:
    input:
        scores="results/scores.csv",
        cards=encoder_files(SETTINGS, "encoder.json"),
        histories=encoder_files(TRAINED, "history.csv"),
        uncertainty="results/analysis/uncertainty.csv",
        uncertainty_differences="results/analysis/uncertainty_differences.csv",
        feature_differences="results/analysis/feature_differences.csv",
        distances="results/analysis/distances.csv",
        similarity="results/analysis/similarity.csv",
    output:
        verdicts=report("results/claims.csv", caption="captions/claims.rst", category="Scores"),
    log:
        "logs/judge_claims.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads("analysis.resamples", metrics=primary_metrics, paper=claims_to_judge),
        code=runs("report.judge.judge_claims"),
    script:
        "../workflow_scripts/judge_claims.py"


rule write_tables:
    input:
        table="results/table.csv",
    output:
        markdown="results/table.md",
        latex="results/table.tex",
    log:
        "logs/write_tables.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(),
        code=runs("report.tables.write_tables"),
    script:
        "../workflow_scripts/write_tables.py"


rule write_report:
    input:
        table="results/table.csv",
        comparisons="results/comparisons.csv",
        claims="results/claims.csv",
        measured=measured_tables,
        figures=figure_files,
        sounds=sound_files(SOUND_SETS),
        encoders=encoder_files(SETTINGS, "encoder.json"),
    output:
        report=report("results/report.html", caption="captions/report.rst", category="Report"),
    log:
        "logs/write_report.log",
    conda:
        "../envs/doppelgangers.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        config=reads(metrics=primary_metrics, published=published_scores, shown=set_to_show, text=text_of_report),
        code=runs("report.write.write_report"),
    script:
        "../workflow_scripts/write_report.py"
