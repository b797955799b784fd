"""Rule plot_snapshots."""

from doppelgangers.analysis.score_figures import plot_snapshots
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_snapshots(snakemake.output.figure, comparisons=snakemake.input.comparisons, table=snakemake.input.table)
