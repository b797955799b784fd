"""Rule prepare."""

from doppelgangers.datasets.prepare import prepare
from doppelgangers.job import job

with job(snakemake):
    config = snakemake.params.config
    dataset = snakemake.wildcards.dataset
    prepare(
        snakemake.output.clips,
        snakemake.output.logmel,
        snakemake.output.card,
        dataset=dataset,
        source=snakemake.input.get("source"),
        checksum=config["datasets"][dataset]["checksum"],
        limit_clips=config["datasets"][dataset]["limit_clips"],
        tolerate_clips=config["datasets"][dataset]["tolerate_clips"],
    )
