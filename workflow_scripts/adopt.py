"""Rule adopt."""

from doppelgangers.encoders.adopt import adopt
from doppelgangers.workflow.job import job

with job(snakemake):
    adopt(snakemake.output.encoder, released=snakemake.input.encoder, name=snakemake.wildcards.setting)
