"""Rule sample_pairs."""

from doppelgangers.synthesis.generate import PairRecipe
from doppelgangers.synthesis.listen import sample_pairs
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    architecture, delta = snakemake.wildcards.architecture, float(snakemake.wildcards.delta)
    recipe = PairRecipe(architecture, delta, **config["pairs"], **config["synth"])
    sample_pairs(snakemake.output.folder, recipe=recipe, pairs=config["samples"]["pairs"])
