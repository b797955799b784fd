"""Rule initialize."""

from doppelgangers.encoders.initialize import initialize
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    initialize(snakemake.output.encoder, seed=int(snakemake.wildcards.seed), **config["encoder"])
