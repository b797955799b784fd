"""Rule make_table."""

from doppelgangers.evaluation.table import make_table, render_table
from doppelgangers.workflow.job import job

with job(snakemake):
    table = make_table(snakemake.output.table, scores=snakemake.input.scores, metrics=snakemake.params.config["metrics"])
    print(render_table(table))
