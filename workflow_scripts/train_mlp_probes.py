"""Rule train_mlp_probes."""

from pathlib import Path

from doppelgangers.datasets.catalogue import Task
from doppelgangers.evaluation.mlp import MlpProtocol
from doppelgangers.evaluation.probe import train_mlp_probes
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    train_mlp_probes(
        snakemake.output.scores,
        snakemake.output.predictions,
        encoder=snakemake.wildcards.setting,
        task=snakemake.wildcards.task,
        row=Task(**config["task"]),
        clips=snakemake.input.clips,
        features={int(Path(path).stem.removeprefix("seed=")): path for path in snakemake.input.features},
        probe=MlpProtocol(**config["probe"], **config["mlp"]),
    )
