"""Rule adopt."""

from doppelgangers.adopt import adopt
from doppelgangers.job import job

with job(snakemake):
    adopt(snakemake.output.encoder, released=snakemake.input.encoder, name=snakemake.wildcards.released)
