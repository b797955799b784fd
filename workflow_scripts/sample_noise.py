"""Rule sample_noise."""

from pathlib import Path

from doppelgangers.analysis.sounds import sample_noise
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    sample_noise(
        Path(snakemake.output.sounds).parent,
        name=snakemake.wildcards.sounds,
        count=config["analysis"]["sounds"],
        duration_s=config["synth"]["duration_s"],
    )
