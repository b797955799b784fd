"""Stage: a task in the format of the HEAR benchmark, for its own tools (`heareval`)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import Dataset, Task
from doppelgangers.datasets.clips import fault_report, open_clips, read_sounds, rows_named
from doppelgangers.datasets.hear_metadata import METRICS
from doppelgangers.datasets.hear_task import write_task
from doppelgangers.datasets.labels import folds_of, read_clips, read_labelled
from doppelgangers.datasets.records import verify
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError


def write_hear_task(
    folder: Path, *, name: str, task: Task, row: Dataset, clips: Path, files: list[Path], checksum: str, threads: int = 1
) -> None:
    """Write a task's folder, with the sounds at 16 kHz, padded or cut as the task says: of the clips that probes learn from.

    Args:
        folder: to write, `<tasks>/<name>-doppelgangers-full`; `<tasks>` is what `heareval` takes.
        name: of the task.
        task, row: of the catalogue.
        clips: clips.csv of the prepared dataset.
        files, checksum: as in `datasets.prepare.prepare`.
        threads: that decode and resample.

    Raises:
        UserError: when the clips do not make a task, the files are not the dataset, or a clip cannot be read any more.
    """
    folder = Path(folder)
    faults: list[str] = []
    version, mode = folder.name.removeprefix(f"{name}-").split("-")
    table = read_clips(clips)
    where = f"task {name}: {clips}"
    rows, labels, _ = read_labelled(table, task, where)
    folds = folds_of(table[task.fold].iloc[rows], where)
    names = table["clip"].iloc[rows]
    with Tree(verify(files, task.dataset, checksum), folder.with_name(f".unpacked-{name}")) as tree:
        found = open_clips(task.dataset, row, tree, pinned=checksum != "none")
        chosen = rows_named(found.table, names)
        sounds = read_sounds(
            found, chosen, rate_hz=RATE_HZ, duration_s=row.clip_s, threads=threads, faults=faults, title=f"write {name}"
        )

        def entries() -> Iterator[tuple[str, str, list[str], np.ndarray]]:
            written = 0
            for i, sound in sounds:
                yield file_name(names.iloc[i]), split(folds[i]), labels[i], sound
                written += 1
            if written < len(chosen):
                gone = fault_report(task.dataset, faults, len(chosen)) if faults else f"{task.dataset}: clips are missing"
                raise UserError(f"{gone}\nThey could be read when {clips} was made.")

        write_task(
            folder.parent,
            name=name,
            version=version,
            mode=mode,
            rate_hz=RATE_HZ,
            duration_s=row.clip_s,
            prediction_type="multilabel" if task.multilabel else "multiclass",
            evaluation=[theirs for metric in task.metrics for theirs, ours in METRICS.items() if ours == metric],
            sounds=entries(),
        )


def file_name(clip: str) -> str:
    """Name of a clip's wav; HEAR's folders are flat."""
    return f"{clip.replace('/', '_').removesuffix('.wav')}.wav"


def split(fold: int | str) -> str:
    """HEAR's name of a fold."""
    return fold if isinstance(fold, str) else f"fold{fold - 1:02d}"
