"""Rule register_peer."""

from doppelgangers.evaluation.peers import register_peer
from doppelgangers.workflow.job import job

with job(snakemake):
    name = snakemake.wildcards.setting
    register_peer(snakemake.output.card, name=name, **snakemake.params.config["encoders"]["peers"][name])
