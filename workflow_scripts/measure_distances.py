"""Rule measure_distances."""

from doppelgangers.analysis.embeddings import measure_distances
from doppelgangers.workflow.job import job

with job(snakemake):
    files = list(snakemake.input.embeddings)
    sets = len(snakemake.input.sounds)
    measure_distances(
        snakemake.output.distances,
        embeddings={
            name: files[place * sets : (place + 1) * sets] for place, name in enumerate(snakemake.params.config["embeddings"])
        },
        sounds=snakemake.input.sounds,
    )
