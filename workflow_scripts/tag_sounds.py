"""Rule tag_sounds."""

from doppelgangers.analysis.tags import tag_sounds
from doppelgangers.workflow.job import job

with job(snakemake):
    tag_sounds(
        snakemake.output.tags,
        sounds=snakemake.input.sounds,
        tagger=snakemake.wildcards.tagger,
        weights=snakemake.params.config["model"] or "".join(snakemake.input.weights),
    )
