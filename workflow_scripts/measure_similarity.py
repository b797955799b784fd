"""Rule measure_similarity."""

import numpy as np

from doppelgangers.analysis.similarity import measure_similarity
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    files = np.array_split(snakemake.input.tags, len(config["taggers"]))
    measure_similarity(
        snakemake.output.table,
        tags=dict(zip(config["taggers"], files, strict=True)),
        sounds=snakemake.input.sounds,
        resamples=config["analysis"]["resamples"],
    )
