"""The datasets and the tasks on them, one row each. Facts only: reading and checking is each dataset's own module."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Where clips come from.

    Attributes:
        module: file of `datasets/` that reads it.
        licence: as its publisher states it.
        url: archive to fetch; empty for what a package of the lock already ships.
        checksum: `md5:...` or `sha256:...` of that archive.
        clips: how many it has; 0 where that depends on the user's own files.
        clip_s: length to which every clip is padded or cut, in seconds.
        source: where these facts come from.
    """

    module: str
    licence: str
    clip_s: float
    clips: int = 0
    url: str = ""
    checksum: str = ""
    source: str = ""


@dataclasses.dataclass(frozen=True)
class Task:
    """What a probe learns on a dataset.

    Attributes:
        dataset: key of `DATASETS`.
        label: column of the dataset's clips.csv; clips without it are not part of the task.
        metric: primary metric, the one of table.csv.
        validation: the clips that choose the epoch. `next_fold`: the fold after the test fold, so that validation
            meets unseen instruments or speakers too; `random`: a fifth of the other folds, as ARCH does.
    """

    dataset: str
    label: str
    metric: str = "accuracy"
    validation: str = "next_fold"


DATASETS = {
    # Notes of the General MIDI SoundFont that the pretty_midi wheel ships: recorded instruments, made in the manner of
    # NSynth. Folds hold out instruments.
    "notes": Dataset(
        module="notes",
        licence="GPL-2.0 (TimGM6mb.sf2 by Tim Brechbill)",
        clip_s=2.0,
        source="pretty_midi 0.2.11, TimGM6mb.sf2",
    ),
    # The drum kits of the same SoundFont. Folds hold out kits.
    "drums": Dataset(
        module="drums",
        licence="GPL-2.0 (TimGM6mb.sf2 by Tim Brechbill)",
        clip_s=1.0,
        source="pretty_midi 0.2.11, TimGM6mb.sf2",
    ),
    "esc50": Dataset(
        module="esc50",
        licence="CC BY-NC 3.0",
        clip_s=5.0,
        clips=2000,
        url="https://github.com/karolpiczak/ESC-50/archive/33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6.zip",
        checksum="md5:629e8e9ebc1592bcceb06da6bec40275",
        source="Piczak 2015; checksum as in soundata issue 208",
    ),
}

TASKS = {
    "pitch": Task(dataset="notes", label="pitch"),
    "family": Task(dataset="notes", label="family"),
    "percussion": Task(dataset="drums", label="key"),
    "esc50": Task(dataset="esc50", label="category", validation="random"),
}
