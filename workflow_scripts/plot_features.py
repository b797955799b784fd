"""Rule plot_features."""

from doppelgangers.analysis.distributions import plot_features
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_features(snakemake.output.figure, features=snakemake.input.features, about=snakemake.input.about)
