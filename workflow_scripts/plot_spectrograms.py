"""Rule plot_spectrograms."""

from pathlib import Path

from doppelgangers.analysis.sound_figures import plot_spectrograms
from doppelgangers.workflow.job import job

with job(snakemake):
    plot_spectrograms(snakemake.output.figure, folders=[Path(path).parent for path in snakemake.input.sounds])
