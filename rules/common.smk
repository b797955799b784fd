"""
What all rules share: the names of encoder settings, and what each rule's params carry.
"""

from pathlib import Path

from doppelgangers.config import STAGES, stage_slice
from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.digest import digest


def encoder_settings():
    """Setting -> (architecture, delta); random initialisation has neither."""
    settings = {"random_init": None} if CONFIG.encoders.random_init else {}
    for architecture in CONFIG.encoders.architectures:
        for delta in CONFIG.encoders.deltas:
            settings[f"{architecture}-{delta}"] = (architecture, delta)
    return settings


SETTINGS = encoder_settings()
SEEDS = CONFIG.encoders.seeds
PAIR_SETTINGS = [setting for setting, made_of in SETTINGS.items() if made_of]


wildcard_constraints:
    architecture="[a-z]+",
    delta=r"[0-9.e+-]+",
    setting=r"random_init|[a-z]+-[0-9.e+-]+",
    seed=r"\d+",
    dataset="|".join(DATASETS),
    task="|".join(TASKS),


def stage(name):
    """A rule's params: the sorted configuration that its stage reads, and the digest of the code that it runs.

    Snakemake compares params as a set of values, so there are exactly these two, of different types. A rule with the
    wildcard `dataset` or `task` depends on its own keys, its own row of the catalogue and its own module only.
    """
    code, _ = STAGES[name]
    if name not in ("download", "prepare", "train_probes"):
        return {"config": stage_slice(CONFIG, name), "code": digest(code)}

    def own_slice(wildcards):
        if name == "train_probes":
            return {**stage_slice(CONFIG, name), "catalogue": sorted_row(TASKS[wildcards.task])}
        row = sorted_row(DATASETS[wildcards.dataset])
        return {**stage_slice(CONFIG, name, wildcards.dataset), "catalogue": row}

    def own_digest(wildcards):
        plugin = [f"datasets.{DATASETS[wildcards.dataset].module}"] if name == "prepare" else []
        return digest(code, *plugin)

    return {"config": own_slice, "code": own_digest}


def sorted_row(row):
    return dict(sorted(vars(row).items()))
