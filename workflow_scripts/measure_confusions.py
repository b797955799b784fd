"""Rule measure_confusions."""

from doppelgangers.evaluation.confusions import measure_confusions
from doppelgangers.workflow.job import job

with job(snakemake):
    measure_confusions(snakemake.output.confusions, predictions=snakemake.input.predictions)
