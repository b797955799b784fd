"""
What all rules share: the names of encoder settings, and what each rule's params carry.
"""

from doppelgangers.digest import digest
from doppelgangers.plan import STAGES, datasets_of, inputs_of, plain, stage_slice, tasks_of

DATASETS = datasets_of(CONFIG)
TASKS = tasks_of(CONFIG)


def encoder_settings():
    """Our encoders: setting -> (architecture, delta); random initialisation has neither."""
    settings = {"random_init": None} if CONFIG.encoders.random_init else {}
    for architecture in CONFIG.encoders.architectures:
        for delta in CONFIG.encoders.deltas:
            settings[f"{architecture}-{delta}"] = (architecture, delta)
    return settings


OURS = encoder_settings()
PEERS = list(CONFIG.encoders.hear)  # encoders of others
SETTINGS = [*OURS, *PEERS]
PAIR_SETTINGS = [setting for setting, made_of in OURS.items() if made_of]


def seeds_of(setting):
    """Seeds of an encoder setting; an encoder of somebody else is what it is."""
    return [0] if setting in PEERS else CONFIG.encoders.seeds


READERS = {"prepare", "extract_peer_features", "write_hear_task"}  # stages that run the dataset's own module
OUR_SETTING = r"random_init|[a-z]+-[0-9.e+-]+"
NOTHING = r"(?!)"


wildcard_constraints:
    architecture="[a-z]+",
    delta=r"[0-9.e+-]+",
    setting="|".join([OUR_SETTING, *PEERS]),
    ours=OUR_SETTING,
    peer="|".join(PEERS) or NOTHING,
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
        config = stage_slice(CONFIG, name, dataset, wildcards.get("peer", ""))
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
