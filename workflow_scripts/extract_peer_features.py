"""Rule extract_peer_features."""

from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.evaluation.peers import extract_peer_features
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    dataset = snakemake.wildcards.dataset
    extract_peer_features(
        snakemake.output.features,
        clips=snakemake.input.clips,
        dataset=dataset,
        row=Dataset(**config["row"]),
        files=snakemake.input.files,
        checksum=config["datasets"][dataset]["checksum"],
        threads=snakemake.threads,
        **config["encoders"]["peers"][snakemake.wildcards.setting],
    )
