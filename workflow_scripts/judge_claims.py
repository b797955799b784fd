"""Rule judge_claims."""

from doppelgangers.report.judge import judge_claims
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    judge_claims(
        snakemake.output.verdicts,
        claims=config["paper"],
        metrics=config["metrics"],
        resamples=config["analysis"]["resamples"],
        **dict(snakemake.input.items()),
    )
