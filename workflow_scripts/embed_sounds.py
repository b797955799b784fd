"""Rule embed_sounds."""

from doppelgangers.analysis.embeddings import embed_sounds
from doppelgangers.workflow.job import job

with job(snakemake):
    embed_sounds(snakemake.output.embeddings, sounds=snakemake.input.sounds, encoder=snakemake.input.encoder)
