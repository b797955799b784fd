"""Rule measure_uncertainty."""

import numpy as np

from doppelgangers.analysis.causes import measure_uncertainty
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    files = np.array_split(snakemake.input.tags, len(config["taggers"]))
    measure_uncertainty(
        snakemake.output.summary,
        snakemake.output.differences,
        snakemake.output.values,
        tags=dict(zip(config["taggers"], files, strict=True)),
        sounds=snakemake.input.sounds,
        definitions=config["analysis"]["uncertainty"],
        resamples=config["analysis"]["resamples"],
    )
