"""Rule write_listening_test."""

from pathlib import Path

from doppelgangers.analysis.listening_test import write_listening_test
from doppelgangers.workflow.job import job

with job(snakemake):
    write_listening_test(
        snakemake.output.page,
        snakemake.output.key,
        sets=[Path(sounds).parent for sounds in snakemake.input.sounds],
        pairs=snakemake.params.config["listening_test"]["pairs"],
    )
