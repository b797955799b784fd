"""Rule plot_embeddings."""

from doppelgangers.analysis.sound_figures import plot_embeddings
from doppelgangers.workflow.job import job

with job(snakemake):
    files = list(snakemake.input.embeddings)
    sets = len(snakemake.input.about)
    plot_embeddings(
        snakemake.output.figure,
        embeddings={
            name: files[place * sets : (place + 1) * sets] for place, name in enumerate(snakemake.params.config["embeddings"])
        },
        about=snakemake.input.about,
    )
