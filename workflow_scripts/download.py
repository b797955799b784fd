"""Rule download."""

from pathlib import Path

from doppelgangers.datasets.catalogue import Archive
from doppelgangers.datasets.download import download
from doppelgangers.datasets.records import DOWNLOADS, link
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    dataset = snakemake.wildcards.dataset
    path = Path(DOWNLOADS, dataset, snakemake.wildcards.file)
    download(
        path,
        dataset=dataset,
        archive=Archive(**config["archive"]),
        licence=config["licence"],
        checksum=config["datasets"][dataset]["checksum"],
    )
    link(Path(snakemake.output.link), path)
