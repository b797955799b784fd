"""Rule generate_pairs."""

from doppelgangers.job import job
from doppelgangers.pairs import generate_pairs

with job(snakemake):
    config = snakemake.params.config
    pairs = dict(config["pairs"])
    generate_pairs(
        snakemake.output.manifest,
        architecture=snakemake.wildcards.architecture,
        delta=float(snakemake.wildcards.delta),
        count=pairs.pop("count"),
        shard_pairs=pairs.pop("shard_pairs"),
        generator={**pairs, **config["synth"]},
        code=snakemake.params.code,
    )
