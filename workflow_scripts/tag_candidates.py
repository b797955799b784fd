"""Rule tag_candidates."""

from doppelgangers.analysis.selection import tag_candidates
from doppelgangers.workflow.job import job

with job(snakemake):
    tag_candidates(
        snakemake.output.tags,
        store=snakemake.input.store,
        tagger=snakemake.wildcards.tagger,
        weights=next(iter(snakemake.input.weights), "") or snakemake.params.config.get("model", ""),
    )
