"""Rule decode_recordings."""

from doppelgangers.pretraining.recordings import decode_recordings
from doppelgangers.workflow.job import job

with job(snakemake, beside=["shards.json", "sounds-*.pcm"]):
    config = snakemake.params.config["recordings"][snakemake.wildcards.recordings]
    decode_recordings(
        snakemake.output.manifest,
        path=snakemake.input.path,
        limit_files=config["limit_files"],
        tolerate_files=config["tolerate_files"],
        seed=0,
        threads=snakemake.threads,
        code=snakemake.params.code,
    )
