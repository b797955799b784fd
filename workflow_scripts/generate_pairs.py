"""Rule generate_pairs."""

from doppelgangers.synthesis.generate import PairRecipe
from doppelgangers.synthesis.pairs import generate_pairs
from doppelgangers.workflow.job import job

with job(snakemake, beside=["shards.json", "shard-*.npy"]):
    config = snakemake.params.config
    pairs = dict(config["pairs"])
    count, shard_pairs = pairs.pop("count"), pairs.pop("shard_pairs")
    generate_pairs(
        snakemake.output.manifest,
        recipe=PairRecipe(snakemake.wildcards.architecture, float(snakemake.wildcards.delta), **pairs, **config["synth"]),
        count=count,
        shard_pairs=shard_pairs,
        code=snakemake.params.code,
    )
