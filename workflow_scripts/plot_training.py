"""Rule plot_training."""

from doppelgangers.figures import plot_training
from doppelgangers.job import job

with job(snakemake):
    plot_training(snakemake.output.figure, histories=snakemake.input.histories)
