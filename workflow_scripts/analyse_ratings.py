"""Rule analyse_ratings."""

from doppelgangers.analysis.ratings import analyse_ratings
from doppelgangers.workflow.job import job

with job(snakemake):
    analyse_ratings(
        snakemake.output.ratings,
        snakemake.output.by_delta,
        folder=snakemake.input.ratings,
        key=snakemake.input.key,
        similarity=snakemake.input.similarity,
        tagger=snakemake.params.config["tagger"],
        resamples=snakemake.params.config["analysis"]["resamples"],
    )
