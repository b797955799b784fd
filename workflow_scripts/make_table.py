"""Rule make_table."""

from doppelgangers.job import job
from doppelgangers.table import make_table, render_table

with job(snakemake):
    metrics = snakemake.params.config["metrics"]
    print(render_table(make_table(snakemake.output.table, scores=snakemake.input.scores, metrics=metrics)))
