"""The workflow around the stages: configuration, plan of the jobs, digests of code, and what every job runs in.

May use every other wing. What is read when Snakemake parses its rules loads no heavy library.
"""
