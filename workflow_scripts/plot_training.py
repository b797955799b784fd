"""Rule plot_training."""

from doppelgangers.analysis.figures import plot_training
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_training(snakemake.output.figure, encoders=snakemake.input.encoders, histories=snakemake.input.histories)
