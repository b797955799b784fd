"""Rule pretrain."""

from doppelgangers.job import job
from doppelgangers.pretrain import pretrain

with job(snakemake):
    config = snakemake.params.config
    training = dict(config["pretrain"])
    pretrain(
        snakemake.output.encoder,
        snakemake.output.history,
        name=snakemake.wildcards.synthetic,
        seed=int(snakemake.wildcards.seed),
        store=snakemake.input.get("store"),
        impulse_responses=next(iter(snakemake.input.impulse_responses), None),
        source=training.pop("source"),
        training=training,
        generator={**config["pairs"], **config["synth"]},
        code=snakemake.params.code,
        **{**config["made_of"], "delta": float(config["made_of"]["delta"])},
        **config["encoder"],
    )
