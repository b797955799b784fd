"""Stage: a task in the format of the HEAR benchmark, for its own tools (`heareval`)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import Dataset, Task
from doppelgangers.datasets.clips import fault_report, open_clips, read_sounds
from doppelgangers.datasets.hear_task import write_task
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError

# HEAR's names for what it reports; it has none for the others.
HEAR_METRICS = {
    "accuracy": "top1_acc",
    "mAP": "mAP",
    "d_prime": "d_prime",
    "auroc": "aucroc",
    "pitch_acc": "pitch_acc",
    "chroma_acc": "chroma_acc",
}


def write_hear_task(
    folder: Path, *, name: str, task: Task, row: Dataset, files: list[Path], checksum: str, threads: int = 1
) -> None:
    """Write a task's folder, with the sounds at 16 kHz, padded or cut as the task says.

    Args:
        folder: to write, `<tasks>/<name>-doppelgangers-full`; `<tasks>` is what `heareval` takes.
        name: of the task.
        task, row: of the catalogue.
        files, checksum: as in `datasets.prepare.prepare`.
        threads: that decode and resample.

    Raises:
        UserError: when the files are not the dataset, or a clip is damaged.
    """
    folder = Path(folder)
    faults: list[str] = []
    version, mode = folder.name.removeprefix(f"{name}-").split("-")
    with Tree(files, folder.with_name(f".unpacked-{name}")) as tree:
        clips = open_clips(task.dataset, row, tree, pinned=checksum != "none")
        rows = clips.table[clips.table[task.label].notna()]
        sounds = read_sounds(
            clips, rows, rate_hz=RATE_HZ, duration_s=row.clip_s, threads=threads, faults=faults, title=f"write {name}"
        )

        def entries() -> Iterator[tuple[str, str, list[str], np.ndarray]]:
            clip, fold, label = (rows[name].to_dict() for name in ("clip", task.fold, task.label))
            for i, sound in sounds:
                yield file_name(clip[i]), split(fold[i]), labels(label[i], task.multilabel), sound
            if faults:
                raise UserError(fault_report(task.dataset, faults, len(rows)))

        write_task(
            folder.parent,
            name=name,
            version=version,
            mode=mode,
            rate_hz=RATE_HZ,
            duration_s=row.clip_s,
            prediction_type="multilabel" if task.multilabel else "multiclass",
            evaluation=[HEAR_METRICS[metric] for metric in task.metrics if metric in HEAR_METRICS],
            sounds=entries(),
        )


def file_name(clip: object) -> str:
    """Name of a clip's wav; HEAR's folders are flat."""
    return f"{str(clip).replace('/', '_').removesuffix('.wav')}.wav"


def split(fold: int | str) -> str:
    """HEAR's name of a fold."""
    return fold if isinstance(fold, str) and not fold.isdigit() else f"fold{int(fold) - 1:02d}"


def labels(label: object, multilabel: bool) -> list[str]:
    """Labels of a clip."""
    return str(label).split(";") if multilabel else [str(label)]
