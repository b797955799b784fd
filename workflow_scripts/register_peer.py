"""Rule register_peer."""

from doppelgangers.job import job
from doppelgangers.peers import register_peer

with job(snakemake):
    peer = snakemake.wildcards.peer
    register_peer(snakemake.output.card, name=peer, **snakemake.params.config["encoders"]["hear"][peer])
