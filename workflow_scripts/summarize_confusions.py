"""Rule summarize_confusions."""

from pathlib import Path

from doppelgangers.evaluation.confusions import summarize_confusions
from doppelgangers.workflow.job import job

with job(snakemake):
    summarize_confusions(
        snakemake.output.recalls,
        snakemake.output.pairs,
        confusions={(Path(path).parent.name, Path(path).stem): path for path in snakemake.input.confusions},
    )
