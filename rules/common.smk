"""
What all rules share: the names of encoders, datasets and tasks, and what a rule says that it needs.
"""

import functools
import re

from doppelgangers.datasets.records import LINKS, altered
from doppelgangers.encoders.card import snapshot_file
from doppelgangers.workflow.contents import contents_of, contents_of_module
from doppelgangers.workflow.costs import Costs
from doppelgangers.workflow.digest import code_of
from doppelgangers.workflow.machine import gpus_of_a_job, let_waiting_threads_sleep
from doppelgangers.workflow.plan import (
    columns_of,
    datasets_of,
    encoders_of_ours,
    impulse_responses_of,
    inputs_of,
    plain,
    released_encoder,
    seeds_of,
    slice_of,
    snapshots,
    sound_sets,
    sorted_builtins,
    synthetic_encoders,
    tasks_of,
)

let_waiting_threads_sleep()

# Whether a rule keeps what it makes in a cache that is shared (docs/caching.md); Snakemake warns of it where none is asked for.
SHARED = workflow.enable_cache

DATASETS = datasets_of(CONFIG)
TASKS = tasks_of(CONFIG)
COLUMNS = columns_of(CONFIG, TASKS)  # of the table: a task may have several, one for each kind of probe
SOUND_SETS = sound_sets(CONFIG)  # that are looked at

# Encoder settings: trained on doppelgängers, trained on recordings, trained before, and those of others.
SYNTHETIC = synthetic_encoders(CONFIG)
REAL = CONFIG.encoders.real
RELEASED = CONFIG.encoders.released
PEERS = CONFIG.encoders.peers
TRAINED = [*SYNTHETIC, *REAL]
SNAPSHOTS = snapshots(CONFIG)  # of those that are trained
OURS = encoders_of_ours(CONFIG)
SETTINGS = [*OURS, *PEERS]


def one_gpu(_wildcards):
    """What a job claims that can use a GPU; `workflow.job` hides all GPUs from the others.

    Not known before a run has its executor: jobs of a cluster may have a GPU where this machine has none.
    """
    return gpus_of_a_job(CONFIG.pretrain.gpus, workflow.local_exec and not workflow.remote_exec)


@functools.cache
def costs():
    """What jobs cost here; `one_gpu` has to be known."""
    return Costs(CONFIG, one_gpu(None))


# The resources of every rule; Snakemake gives the name of the rule.
def mem_mb(wildcards, attempt, rulename):
    """Memory that a job asks for."""
    return costs().of(rulename, wildcards).request_mb(attempt)


def runtime(wildcards, threads, attempt, rulename):
    """Minutes that a job asks for."""
    return costs().of(rulename, wildcards).request_min(threads, attempt)


def encoder_file(setting, seed, file):
    """Path of encoder.safetensors or encoder.json of an encoder setting; a snapshot's is with the encoder that is trained."""
    trained, pairs = SNAPSHOTS.get(setting, (setting, 0))
    return f"results/encoders/{trained}/seed={seed}/{snapshot_file(pairs, file) if pairs else file}"


def encoder_files(settings, file):
    """A file of every seed of these encoder settings."""
    return [encoder_file(setting, seed, file) for setting in settings for seed in seeds_of(CONFIG, setting)]


def part_of_encoder(file):
    """A function of the wildcards: this file of a job's encoder, of the wildcard's seed or of the setting's first one."""

    def of_job(wildcards):
        chosen = seeds_of(CONFIG, wildcards.setting)[0] if wildcards.get("seed") is None else wildcards.seed
        return encoder_file(wildcards.setting, chosen, file)

    return of_job


def one_of(names):
    """A wildcard's pattern: one of these names; nothing matches where there are none."""
    return "|".join(map(re.escape, names)) or r"(?!)"


wildcard_constraints:
    architecture="[a-z]+",
    delta=r"[0-9.e+-]+",
    setting=one_of(SETTINGS),
    recordings=one_of(CONFIG.recordings),
    seed=r"\d+",
    dataset=one_of(DATASETS),
    task=one_of(TASKS),
    sounds=one_of(SOUND_SETS),
    file=r"[^/.][^/]*",


def reads(*keys, **facts):
    """A rule's param `config`: what it reads of the configuration.

    `keys` are dotted; {name} in a key stands for the rule's wildcard, {dataset} also for the dataset of its task or sounds. `facts`
    are functions of the wildcards, for what follows from the configuration: each gives one more entry of plain builtins.
    """

    def config(wildcards):
        names = dict(wildcards.items())
        if {"dataset", "task", "sounds"} & set(names):
            names["dataset"] = dataset_of(wildcards)
        part = slice_of(CONFIG, tuple(key.format(**names) for key in keys))
        return sorted_builtins({**part, **{name: fact(wildcards) for name, fact in facts.items()}})

    return config


def runs(*functions):
    """A rule's param `code`: the functions that its script calls, and a digest of all code that they use.

    A function is named as module.function, or is itself a function of the wildcards that gives such a name.
    """

    def code(wildcards):
        return code_of(*(function(wildcards) if callable(function) else function for function in functions))

    return code


def dataset_of(wildcards):
    """The dataset that a job works on, which may be that of its task, or of its set of sounds."""
    if wildcards.get("sounds"):
        return SOUND_SETS[wildcards.sounds].source
    return {**TASKS, **COLUMNS}[wildcards.task].dataset if wildcards.get("task") else wildcards.dataset


def dataset_row(wildcards):
    """The row of the catalogue of a job's dataset."""
    return plain(DATASETS[dataset_of(wildcards)])


def dataset_reader(wildcards):
    """The function that reads a job's dataset."""
    return f"datasets.{DATASETS[dataset_of(wildcards)].module}.load"


def own_files(files):
    """These inputs, of which those of the user's count by their contents (`contents_of_files`), not by their times."""
    return [file if file.startswith(LINKS) else ancient(file) for file in files]


def contents_of_files(files):
    """File or folder of the user's, or archive that he changed -> what identifies its contents."""
    return {file: contents_of(file) for file in files if not file.startswith(LINKS) or altered(file)}


def dataset_files(wildcards):
    """The files and folders that a job's dataset is read from."""
    return own_files(inputs_of(CONFIG, dataset_of(wildcards)))


def dataset_contents(wildcards):
    return contents_of_files(inputs_of(CONFIG, dataset_of(wildcards)))


def task_row(wildcards):
    """The row of the catalogue of a job's task."""
    return plain(TASKS[wildcards.task])
