"""Rule pretrain_on_recordings."""

from doppelgangers.pretraining.pretrain import pretrain_on_recordings
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    name = snakemake.wildcards.setting
    pretrain_on_recordings(
        snakemake.output.encoder,
        snakemake.output.history,
        name=name,
        seed=int(snakemake.wildcards.seed),
        manifest=snakemake.input.recordings,
        impulse_responses=next(iter(snakemake.input.impulse_responses), None),
        training=PretrainSettings(**config["pretrain"]),
        code=snakemake.params.code,
        **config["encoders"]["real"][name],
        **config["encoder"],
        **config["synth"],
    )
