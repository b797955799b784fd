"""Rule write_tables."""

from doppelgangers.report.tables import write_tables
from doppelgangers.workflow.job import job

with job(snakemake):
    write_tables(snakemake.output.markdown, snakemake.output.latex, table=snakemake.input.table)
