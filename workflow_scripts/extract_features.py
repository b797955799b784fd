"""Rule extract_features."""

from doppelgangers.features import extract_features
from doppelgangers.job import job

with job(snakemake):
    extract_features(snakemake.output.features, encoder=snakemake.input.encoder, logmel=snakemake.input.logmel)
