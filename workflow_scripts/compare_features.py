"""Rule compare_features."""

from doppelgangers.analysis.compare import compare_features
from doppelgangers.workflow.job import job

with job(snakemake):
    compare_features(
        snakemake.output.differences,
        snakemake.output.coverage,
        snakemake.output.extremes,
        features=snakemake.input.features,
        sounds=snakemake.input.sounds,
        resamples=snakemake.params.config["analysis"]["resamples"],
    )
