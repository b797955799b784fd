"""Rule sample_recorded_sounds."""

from pathlib import Path

from doppelgangers.analysis.sounds import sample_recorded_sounds
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    sample_recorded_sounds(
        Path(snakemake.output.sounds).parent,
        name=snakemake.wildcards.sounds,
        recordings=snakemake.input.recordings,
        count=config["analysis"]["sounds"],
        duration_s=config["synth"]["duration_s"],
    )
