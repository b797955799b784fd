"""Rule initialize."""

from doppelgangers.initialize import initialize
from doppelgangers.job import job

with job(snakemake):
    config = snakemake.params.config
    initialize(snakemake.output.encoder, seed=int(snakemake.wildcards.seed), **config["encoder"])
