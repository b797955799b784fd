"""Rule extract_features."""

from doppelgangers.evaluation.features import extract_features
from doppelgangers.workflow.job import job

with job(snakemake):
    extract_features(
        snakemake.output.features,
        encoder=snakemake.input.encoder,
        logmel=snakemake.input.logmel,
        clips=snakemake.input.clips or None,
    )
