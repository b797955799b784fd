"""Rule pretrain_on_recordings."""

from doppelgangers.job import job
from doppelgangers.pretrain import pretrain_on_recordings

with job(snakemake):
    config = snakemake.params.config
    real = snakemake.wildcards.real
    pretrain_on_recordings(
        snakemake.output.encoder,
        snakemake.output.history,
        name=real,
        seed=int(snakemake.wildcards.seed),
        manifest=snakemake.input.recordings,
        impulse_responses=next(iter(snakemake.input.impulse_responses), None),
        training=config["pretrain"],
        code=snakemake.params.code,
        **config["encoders"]["real"][real],
        **config["encoder"],
        **config["synth"],
    )
