"""Rule train_probes."""

from pathlib import Path

from doppelgangers.datasets.catalogue import Task
from doppelgangers.job import job
from doppelgangers.probe import train_probes

with job(snakemake):
    config = snakemake.params.config
    train_probes(
        snakemake.output.scores,
        encoder=snakemake.wildcards.setting,
        task=snakemake.wildcards.task,
        row=Task(**config["task"]),
        clips=snakemake.input.clips,
        features={int(Path(path).stem.removeprefix("seed=")): path for path in snakemake.input.features},
        **config["probe"],
        mlp=config["mlp"],
    )
