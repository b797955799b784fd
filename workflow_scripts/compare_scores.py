"""Rule compare_scores."""

from doppelgangers.evaluation.comparisons import compare_scores
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    compare_scores(
        snakemake.output.comparisons,
        scores=snakemake.input.scores,
        metrics=config["metrics"],
        against=config["comparisons"]["against"],
        resamples=config["analysis"]["resamples"],
    )
