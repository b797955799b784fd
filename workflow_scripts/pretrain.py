"""Rule pretrain."""

from doppelgangers.pretraining.pretrain import pretrain
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.synthesis.generate import PairRecipe
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    made_of = config["made_of"]
    pretrain(
        snakemake.output.encoder,
        snakemake.output.history,
        name=snakemake.wildcards.setting,
        seed=int(snakemake.wildcards.seed),
        recipe=PairRecipe(made_of["architecture"], float(made_of["delta"]), **config["pairs"], **config["synth"]),
        augmentation=made_of["augmentation"],
        store=snakemake.input.get("store") or None,
        selected=snakemake.input.get("selected") or None,
        kept=made_of.get("kept", ""),
        impulse_responses=next(iter(snakemake.input.impulse_responses), None),
        training=PretrainSettings(**config["pretrain"]),
        code=snakemake.params.code,
        **config["encoder"],
    )
