"""Rule pretrain."""

from doppelgangers.job import job
from doppelgangers.pretrain import pretrain

with job(snakemake):
    config = snakemake.params.config
    pretrain(
        snakemake.output.encoder,
        snakemake.output.history,
        architecture=snakemake.wildcards.architecture,
        delta=float(snakemake.wildcards.delta),
        seed=int(snakemake.wildcards.seed),
        store=snakemake.input.get("store"),
        generator={**config["pairs"], **config["synth"]},
        code=snakemake.params.code,
        **config["encoder"],
        **config["pretrain"],
    )
