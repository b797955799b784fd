"""Rule sample_pairs."""

from doppelgangers.job import job
from doppelgangers.pairs import sample_pairs

with job(snakemake):
    config = snakemake.params.config
    sample_pairs(
        snakemake.output.folder,
        architecture=snakemake.wildcards.architecture,
        delta=float(snakemake.wildcards.delta),
        pairs=config["samples"]["pairs"],
        generator={**config["pairs"], **config["synth"]},
    )
