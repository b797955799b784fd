"""Rule collect_scores."""

from doppelgangers.evaluation.table import collect_scores
from doppelgangers.workflow.job import job

with job(snakemake):
    collect_scores(snakemake.output.scores, encoders=snakemake.input.encoders, probes=snakemake.input.probes)
