"""Rule write_listening_page."""

from doppelgangers.synthesis.listen import write_listening_page
from doppelgangers.workflow.job import job

with job(snakemake):
    write_listening_page(snakemake.output.page, snakemake.input.folders)
