"""Rule measure_features."""

from doppelgangers.analysis.features import measure_features
from doppelgangers.workflow.job import job

with job(snakemake):
    measure_features(snakemake.output.features, sounds=snakemake.input.sounds, processes=snakemake.threads)
