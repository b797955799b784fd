"""Rule collect_scores."""

from doppelgangers.job import job
from doppelgangers.table import collect_scores

with job(snakemake):
    collect_scores(snakemake.output.scores, encoders=snakemake.input.encoders, probes=snakemake.input.probes)
