"""Rule extract_peer_features."""

from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.job import job
from doppelgangers.peers import extract_peer_features

with job(snakemake):
    config = snakemake.params.config
    dataset, peer = snakemake.wildcards.dataset, snakemake.wildcards.peer
    extract_peer_features(
        snakemake.output.features,
        clips=snakemake.input.clips,
        dataset=dataset,
        row=Dataset(**config["row"]),
        sources=snakemake.input[2:],
        checksum=config["datasets"][dataset]["checksum"],
        threads=snakemake.threads,
        **config["encoders"]["hear"][peer],
    )
