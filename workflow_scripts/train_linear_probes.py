"""Rule train_linear_probes."""

from pathlib import Path

from doppelgangers.datasets.catalogue import Task
from doppelgangers.evaluation.linear import LinearProtocol
from doppelgangers.evaluation.probe import train_linear_probes
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    train_linear_probes(
        snakemake.output.scores,
        snakemake.output.predictions,
        encoder=snakemake.wildcards.setting,
        task=snakemake.wildcards.task,
        row=Task(**config["task"]),
        clips=snakemake.input.clips,
        features={int(Path(path).stem.removeprefix("seed=")): path for path in snakemake.input.features},
        probe=LinearProtocol(**config["probe"]),
    )
