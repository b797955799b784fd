"""Rule plot_similarity."""

from doppelgangers.analysis.sound_figures import plot_similarity
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_similarity(snakemake.output.figure, similarity=snakemake.input.similarity)
