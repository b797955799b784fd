"""Rule prepare."""

from pathlib import Path

from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.datasets.prepare import prepare
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    dataset = snakemake.wildcards.dataset
    settings = config["datasets"][dataset]
    prepare(
        *map(Path, (snakemake.output.clips, snakemake.output.logmel, snakemake.output.card)),
        dataset=dataset,
        row=Dataset(**config["row"]),
        files=snakemake.input.files,
        checksum=settings["checksum"],
        limit_clips=settings["limit_clips"],
        tolerate_clips=settings["tolerate_clips"],
        threads=snakemake.threads,
    )
