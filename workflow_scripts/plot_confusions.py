"""Rule plot_confusions."""

from pathlib import Path

from doppelgangers.analysis.score_figures import plot_confusions
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_confusions(
        snakemake.output.figure,
        task=snakemake.wildcards.task,
        confusions={Path(path).stem: path for path in snakemake.input.confusions},
    )
