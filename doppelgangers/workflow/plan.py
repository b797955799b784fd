"""What the workflow asks of a configuration: its encoders, datasets and tasks, and the files that they are read from."""

import dataclasses
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from doppelgangers.datasets.catalogue import DATASETS, TASKS, Archive, Dataset, Task, section_of
from doppelgangers.datasets.records import DOWNLOADS, LINKS
from doppelgangers.datasets.settings import DatasetSettings, OwnTaskSettings
from doppelgangers.encoders.card import snapshot_name
from doppelgangers.workflow.config import Config, EncoderGrid, FurtherGrid

TAGGER_WEIGHTS = "efficientat"  # of the catalogue, for the tagger mn04


@dataclasses.dataclass(frozen=True)
class SyntheticEncoder:
    """What an encoder that is trained on doppelgängers learns from.

    Attributes:
        kept: which of the stored pairs, in words; empty: all.
        setting: its name in encoders.selected, if it has one there.
    """

    architecture: str
    delta: str
    augmentation: str
    kept: str = ""
    setting: str = ""

    @property
    def name(self) -> str:
        """Of the encoder setting: voice-0.25, or voice-0.25-spec with an augmentation; or as encoders.selected says."""
        if self.setting:
            return self.setting
        parts = [self.architecture, self.delta, self.augmentation]
        return "-".join(parts if self.augmentation != "none" else parts[:2])

    @property
    def pairs(self) -> str:
        """Folder of its pairs, which do not depend on the augmentation."""
        return f"results/pairs/{self.architecture}-{self.delta}"


@dataclasses.dataclass(frozen=True)
class SoundSet:
    """Sounds that are looked at: of an architecture and delta, of a dataset, of recordings, or noise.

    Attributes:
        kind: what they are.
        source: name of the dataset, or of the recordings.
        architecture, delta: of pairs.
    """

    kind: Literal["synthetic", "recordings", "dataset", "noise"]
    source: str = ""
    architecture: str = ""
    delta: str = ""


def sound_sets(config: Config) -> dict[str, SoundSet]:
    """The sets of sounds that are looked at, by name: of pairs, of recordings, of the datasets of the tasks, and noise."""
    analysis, rows = config.analysis, tasks_of(config)
    pairs = itertools.product(analysis.architectures, analysis.deltas)
    sets = {f"{architecture}-{delta}": SoundSet("synthetic", "", architecture, delta) for architecture, delta in pairs}
    for recordings in dict.fromkeys(real.recordings for real in config.encoders.real.values()):
        sets[f"recordings-{recordings}"] = SoundSet("recordings", recordings)
    sets |= {name: SoundSet("dataset", name) for name in dict.fromkeys(rows[task].dataset for task in config.tasks)}
    return {**sets, "noise": SoundSet("noise")}


def datasets_of(config: Config) -> dict[str, Dataset]:
    """The catalogue's datasets, and those of the user's own tasks, with the archives that the configuration asks for."""
    own = {
        name: Dataset(
            module=task.format,
            licence=task.licence or "the user's own",
            clip_s=task.clip_s,
            reference="own_tasks in the configuration",
            own=told_to_reader(name, task),
        )
        for name, task in config.own_tasks.items()
    }
    rows = {**DATASETS, **own}
    return {
        name: dataclasses.replace(row, archives=archives_of(row, settings_of(config, name).url)) for name, row in rows.items()
    }


def told_to_reader(name: str, task: OwnTaskSettings) -> dict[str, str | float | bool]:
    """What the reader of the user's own sounds takes, or compares with them: arguments of its `load`."""
    if task.format == "folder":
        return {"fold": task.fold}
    return {"section": section_of(name), "clip_s": task.clip_s, "multilabel": task.multilabel, "metric": task.metrics[0]}


def archives_of(row: Dataset, url: str) -> tuple[Archive, ...]:
    """What to fetch when the configuration gives a url: in place of the one archive, or the folder that holds several."""
    if not url:
        return row.archives
    archives = row.archives or (Archive(url, name="archive"),)
    urls = [f"{url.rstrip('/')}/{archive.file}" for archive in archives] if len(archives) > 1 else [url]
    pairs = zip(archives, urls, strict=True)
    return tuple(dataclasses.replace(archive, name=archive.file, url=place) for archive, place in pairs)


def tasks_of(config: Config) -> dict[str, Task]:
    """The catalogue's tasks, and the user's own."""
    own = {
        name: Task(
            dataset=name,
            label=task.label,
            metrics=tuple(task.metrics),
            fold=task.fold,
            validation=task.validation,
            probe=task.probe,
            multilabel=task.multilabel,
        )
        for name, task in config.own_tasks.items()
    }
    return {**TASKS, **own}


def columns_of(config: Config, tasks: Iterable[str]) -> dict[str, Task]:
    """The columns of table.csv for these tasks, and what is probed for each: <task>, and <task>_<kind> with probe.also.

    The `probe` of a row is the kind that is trained. One that is a task's kind already has no column of its own.
    """
    rows, kind, columns = tasks_of(config), config.probe.kind, {}
    for name in tasks:
        main = rows[name].probe if kind == "suite" else kind
        columns[name] = dataclasses.replace(rows[name], probe=main)
        further = [other for other in config.probe.also if other != main]
        columns |= {f"{name}_{other}": dataclasses.replace(rows[name], probe=other) for other in further}
    return columns


def settings_of(config: Config, dataset: str) -> DatasetSettings:
    """What the configuration says of a dataset: of one of the catalogue, or of a task of the user's own."""
    own = config.own_tasks.get(dataset)
    if own:
        return DatasetSettings(**{key: getattr(own, key) for key in DatasetSettings.model_fields})
    return config.datasets.get(dataset, DatasetSettings())


def inputs_of(config: Config, dataset: str) -> list[str]:
    """Files and folders that a dataset is read from; none for one that a package ships."""
    path, row = settings_of(config, dataset).path, datasets_of(config)[dataset]
    if path:
        archives = [Path(path, archive.file) for archive in row.archives]
        return [str(archive) for archive in archives] if archives and all(map(Path.is_file, archives)) else [path]
    return [f"{LINKS}/{dataset}/{archive.file}" for archive in row.archives]


def downloads_of(config: Config, dataset: str) -> list[str]:
    """The archives that are fetched for a dataset, where they are kept; none for one that the user has elsewhere."""
    if settings_of(config, dataset).path:
        return []
    return [f"{DOWNLOADS}/{dataset}/{archive.file}" for archive in datasets_of(config)[dataset].archives]


def synthetic_encoders(config: Config) -> dict[str, SyntheticEncoder]:
    """The encoders that are trained on doppelgängers, by the names of their settings."""
    grids: list[EncoderGrid | FurtherGrid] = [config.encoders, *config.encoders.further]
    encoders = [
        SyntheticEncoder(architecture, delta, augmentation)
        for grid in grids
        for architecture in grid.architectures
        for delta in grid.deltas
        for augmentation in grid.augmentations
    ]
    for name, row in config.encoders.selected.items():
        criterion = "" if row.keep == "random" else f"_{row.tagger}_{row.definition}"
        kept = f"{row.keep}_{row.share:g}{criterion}"
        encoders.append(SyntheticEncoder(row.architecture, row.delta, row.augmentation, kept, name))
    return {encoder.name: encoder for encoder in encoders}


def snapshots(config: Config) -> dict[str, tuple[str, int]]:
    """The snapshots of trainings, by their names as encoder settings: the setting that is trained, and pairs seen by then."""
    trained = [*synthetic_encoders(config), *config.encoders.real]
    taken = itertools.product(trained, config.pretrain.snapshots)
    return {snapshot_name(setting, pairs): (setting, pairs) for setting, pairs in taken}


def encoders_of_ours(config: Config) -> list[str]:
    """Names of the encoder settings that have weights in our form."""
    trained = [*synthetic_encoders(config), *config.encoders.real, *snapshots(config), *config.encoders.released]
    return [*(["random_init"] if config.encoders.random_init else []), *trained]


def seeds_of(config: Config, setting: str) -> list[int]:
    """Seeds of an encoder setting; one that was trained elsewhere has a single one."""
    if setting in config.encoders.released or setting in config.encoders.peers:
        return [0]
    return config.encoders.random_seeds if setting == "random_init" else config.encoders.seeds


def impulse_responses_of(config: Config, augmentation: str) -> list[str]:
    """The folder or archive that an augmentation takes impulse responses from; none if it takes none."""
    asked = augmentation.startswith("waveform") and config.augment.impulse_responses != "none"
    return inputs_of(config, config.augment.impulse_responses) if asked else []


def used_datasets(config: Config) -> dict[str, Dataset]:
    """The datasets of the tasks, augmentations and taggers that are asked for, in the order of their names."""
    names, rows = {tasks_of(config)[task].dataset for task in config.tasks}, datasets_of(config)
    augmentations = [encoder.augmentation for encoder in synthetic_encoders(config).values()]
    augmentations += [encoder.augmentation for encoder in config.encoders.real.values()]
    if any(impulse_responses_of(config, augmentation) for augmentation in augmentations):
        names.add(config.augment.impulse_responses)
    if "mn04" in (*config.analysis.taggers, *(row.tagger for row in config.encoders.selected.values())):
        names.add(TAGGER_WEIGHTS)
    return {name: rows[name] for name in sorted(names)}


def plain(row) -> dict:
    """A row of the catalogue as sorted plain builtins, without the archives, which have a rule of their own."""
    return sorted_builtins({key: value for key, value in dataclasses.asdict(row).items() if key != "archives"})


def sorted_builtins(content: dict) -> dict:
    """The same content as Snakemake can record and compare it: keys in order, lists for tuples."""
    return json.loads(json.dumps(content, sort_keys=True))


def released_encoder(path: str) -> str:
    """Weights of a released encoder, which is given by its folder or by them."""
    return path if path.endswith(".safetensors") else f"{path}/encoder.safetensors"


def slice_of(config: Config, keys: tuple[str, ...]) -> dict:
    """The part of the configuration that is named by dotted keys, sorted, as plain builtins."""
    sections = {key.partition(".")[0] for key in keys}  # no others are written out, because every job asks
    content = config.model_dump(mode="json", include=sections)
    if "datasets" in sections:
        content["datasets"] = {
            name: settings_of(config, name).model_dump(mode="json") for name in [*DATASETS, *config.own_tasks]
        }
    result: dict = {}
    for key in keys:
        *path, last = key.split(".")
        source, target = content, result
        for part in path:
            source, target = source[part], target.setdefault(part, {})
        target[last] = source[last]
    return sorted_builtins(result)
