"""Rule plot_comparisons."""

from doppelgangers.analysis.score_figures import plot_comparisons
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_comparisons(snakemake.output.figure, comparisons=snakemake.input.comparisons)
