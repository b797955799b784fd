"""Rule prepare."""

from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.datasets.prepare import prepare
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    dataset = snakemake.wildcards.dataset
    prepare(
        snakemake.output.clips,
        snakemake.output.logmel,
        snakemake.output.card,
        dataset=dataset,
        row=Dataset(**config["row"]),
        sources=snakemake.input.files,
        checksum=config["datasets"][dataset]["checksum"],
        limit_clips=config["datasets"][dataset]["limit_clips"],
        tolerate_clips=config["datasets"][dataset]["tolerate_clips"],
        threads=snakemake.threads,
    )
