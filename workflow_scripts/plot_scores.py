"""Rule plot_scores."""

from doppelgangers.analysis.figures import plot_scores
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_scores(snakemake.output.figure, table=snakemake.input.table, encoders=snakemake.input.encoders)
