"""Rule select_pairs."""

from doppelgangers.analysis.selection import select_pairs
from doppelgangers.workflow.job import job

with job(snakemake):
    select_pairs(
        snakemake.output.selected,
        tags=snakemake.input.tags,
        name=snakemake.wildcards.selection,
        **snakemake.params.config["by"],
    )
