"""Rule write_hear_task."""

from doppelgangers.datasets.catalogue import Dataset, Task
from doppelgangers.evaluation.export import write_hear_task
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    task = Task(**config["task"])
    write_hear_task(
        snakemake.output.folder,
        name=snakemake.wildcards.task,
        task=task,
        row=Dataset(**config["row"]),
        clips=snakemake.input.clips,
        files=snakemake.input.files,
        checksum=config["datasets"][task.dataset]["checksum"],
        threads=snakemake.threads,
    )
