"""
What all rules share: the names of encoder settings, and what each rule's params carry.
"""

import re
from pathlib import Path

from doppelgangers.digest import digest
from doppelgangers.plan import (
    STAGES,
    datasets_of,
    impulse_responses_of,
    inputs_of,
    plain,
    released_encoder,
    stage_slice,
    synthetic_settings,
    tasks_of,
)

DATASETS = datasets_of(CONFIG)
TASKS = tasks_of(CONFIG)


# Encoder settings: trained on doppelgängers, trained on recordings, trained before, and those of others.
SYNTHETIC = synthetic_settings(CONFIG)
REAL = CONFIG.encoders.real
RELEASED = CONFIG.encoders.released
PEERS = CONFIG.encoders.hear
TRAINED = [*SYNTHETIC, *REAL]
OURS = [*(["random_init"] if CONFIG.encoders.random_init else []), *TRAINED, *RELEASED]
SETTINGS = [*OURS, *PEERS]


def seeds_of(setting):
    """Seeds of an encoder setting; an encoder that is not trained here is what it is."""
    return [0] if setting in RELEASED or setting in PEERS else CONFIG.encoders.seeds


def one_of(names):
    """A wildcard's pattern: one of these names, or nothing at all."""
    return "|".join(map(re.escape, names)) or r"(?!)"


READERS = {"prepare", "extract_peer_features", "write_hear_task"}  # stages that run the dataset's own module


wildcard_constraints:
    architecture="[a-z]+",
    delta=r"[0-9.e+-]+",
    setting=one_of(SETTINGS),
    ours=one_of(OURS),
    synthetic=one_of(SYNTHETIC),
    real=one_of(REAL),
    recordings=one_of(CONFIG.recordings),
    released=one_of(RELEASED),
    peer=one_of(PEERS),
    seed=r"\d+",
    dataset="|".join(DATASETS),
    task="|".join(TASKS),
    file=r"[^/.][^/]*",


def dataset_of(wildcards):
    """The dataset that a job works on, which may be that of its task; "" for none."""
    task = TASKS.get(wildcards.get("task"))
    return task.dataset if task else wildcards.get("dataset", "")


def stage(name):
    """A rule's params: the sorted configuration that its stage reads, and the digest of the code that it runs.

    Snakemake compares params as a set of values, so there are exactly these two, of different types. A rule with the
    wildcard `dataset`, `task` or `peer` depends on its own keys, its own rows of the catalogue and its own module only.
    """
    code, _ = STAGES[name]

    def own_slice(wildcards):
        task, dataset = TASKS.get(wildcards.get("task")), dataset_of(wildcards)
        config = stage_slice(CONFIG, name, **{"dataset": dataset, **dict(wildcards.items())})
        if name == "pretrain":
            config["made_of"] = SYNTHETIC[wildcards.synthetic]
        if name == "make_table":
            config["metrics"] = {task: TASKS[task].metrics[0] for task in sorted(CONFIG.tasks)}
        if name == "download":
            archive = next(archive for archive in DATASETS[dataset].archives if archive.file == wildcards.file)
            config.update(archive=plain(archive), licence=DATASETS[dataset].licence)
        if name in READERS:
            config["row"] = plain(DATASETS[dataset])
        if task:
            config["task"] = plain(task)
        return config

    def own_digest(wildcards):
        return digest(code, *([f"datasets.{DATASETS[dataset_of(wildcards)].module}"] if name in READERS else []))

    return {"config": own_slice, "code": own_digest}
