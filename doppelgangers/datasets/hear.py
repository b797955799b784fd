"""Any task in the format of HEAR 2021, as its preprocessing writes it and as its archives have it."""

import posixpath
from typing import Any

import numpy as np

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files
from doppelgangers.datasets.hear_metadata import check_told
from doppelgangers.datasets.hear_task import read_task
from doppelgangers.errors import UserError

TOLERANCE_S = 0.1  # by which a sound may be longer than its task says, because resampling rounds


def load(tree: Tree, pinned: bool, **told: Any) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The column is `label`, the folds are those of the task.

    Args:
        tree, pinned: as for every dataset.
        told: what the configuration says of the task, for `hear_metadata.check_told`; nothing: it is not compared.

    Raises:
        UserError: when it is no such task, a recording that it names is missing, or the configuration contradicts it. A
            recording that contradicts the task is damaged.
    """
    table, metadata = read_task(tree.names, tree.read)
    if told:
        check_told(metadata, **told)
    clips = clips_of_files(tree, table)

    def read(clip: Any) -> tuple[np.ndarray, int] | None:
        if found := clips.read(clip):
            check_sound(clip, *found, metadata.get("sample_duration"))
        return found

    return clips._replace(read=read)


def check_sound(clip: Any, sound: np.ndarray, rate_hz: int, duration_s: float | None) -> None:
    """Refuse a sound that contradicts its task.

    Raises:
        UserError: naming the file.
    """
    folder = posixpath.basename(clip.file.removesuffix(f"/{clip.clip}"))
    if rate_hz != int(folder):
        raise UserError(f"{clip.file} has a sample rate of {rate_hz} Hz, and its folder says {folder}")
    if duration_s and len(sound) > (duration_s + TOLERANCE_S) * rate_hz:
        found_s = len(sound) / rate_hz
        raise UserError(f"{clip.file} is {found_s:g} s long, and task_metadata.json says sample_duration {duration_s:g}")
