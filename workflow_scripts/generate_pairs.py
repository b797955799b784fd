"""Rule generate_pairs."""

from doppelgangers.job import job
from doppelgangers.pairs import generate_pairs

with job(snakemake):
    config = snakemake.params.config
    generate_pairs(
        snakemake.output.manifest,
        architecture=snakemake.wildcards.architecture,
        delta=float(snakemake.wildcards.delta),
        code=snakemake.params.code,
        **config["pairs"],
        **config["synth"],
    )
