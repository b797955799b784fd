"""Rule plot_uncertainty."""

from doppelgangers.analysis.distributions import plot_uncertainty
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_uncertainty(snakemake.output.figure, values=snakemake.input.values, about=snakemake.input.about)
