"""Rule sample_synthetic_sounds."""

from pathlib import Path

from doppelgangers.analysis.sounds import sample_synthetic_sounds
from doppelgangers.synthesis.generate import PairRecipe
from doppelgangers.workflow.job import job

with job(snakemake):
    config = snakemake.params.config
    architecture, delta = config["made_of"]["architecture"], float(config["made_of"]["delta"])
    sample_synthetic_sounds(
        Path(snakemake.output.sounds).parent,
        name=snakemake.wildcards.sounds,
        recipe=PairRecipe(architecture, delta, **config["pairs"], **config["synth"]),
        count=config["analysis"]["sounds"],
    )
