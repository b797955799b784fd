"""Rule write_report."""

from pathlib import Path

from doppelgangers.report.write import write_report
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    single = ("table", "comparisons", "claims")
    tables = [*(snakemake.input[name] for name in single), *snakemake.input.measured]
    write_report(
        snakemake.output.report,
        tables={Path(path).stem: path for path in tables},
        figures=snakemake.input.figures,
        sounds=[Path(path).parent for path in snakemake.input.sounds],
        cards=snakemake.input.encoders,
        metrics=config["metrics"],
        published=config["published"],
        shown=config["shown"],
        results=Path(snakemake.output.report).parent,
    )
