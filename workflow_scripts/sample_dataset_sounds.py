"""Rule sample_dataset_sounds."""

from pathlib import Path

from doppelgangers.analysis.sounds import sample_dataset_sounds
from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.workflow.job import job

with job(snakemake):
    config, dataset = snakemake.params.config, snakemake.wildcards.sounds
    sample_dataset_sounds(
        Path(snakemake.output.sounds).parent,
        name=dataset,
        row=Dataset(**config["row"]),
        clips=snakemake.input.clips,
        files=snakemake.input.files,
        checksum=config["datasets"][dataset]["checksum"],
        count=config["analysis"]["sounds"],
        duration_s=config["synth"]["duration_s"],
        threads=snakemake.threads,
    )
