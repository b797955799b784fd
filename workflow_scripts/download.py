"""Rule download."""

from pathlib import Path

from doppelgangers.datasets.catalogue import Archive
from doppelgangers.datasets.download import download
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    dataset = snakemake.wildcards.dataset
    download(
        Path(snakemake.output.archive),
        dataset=dataset,
        archive=Archive(**config["archive"]),
        licence=config["licence"],
        checksum=config["datasets"][dataset]["checksum"],
    )
