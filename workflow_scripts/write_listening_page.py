"""Rule write_listening_page."""

from doppelgangers.job import job
from doppelgangers.listen import write_listening_page

with job(snakemake):
    write_listening_page(snakemake.output.page, snakemake.input.folders)
