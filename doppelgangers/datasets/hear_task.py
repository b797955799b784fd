"""Preprocessed task folders of the HEAR benchmark, the format of its tools and of its published archives.

    <name>-<version>-<mode>/
        task_metadata.json, labelvocabulary.csv
        train.json, valid.json, test.json or fold00.json, fold01.json, ...: file name -> labels
        <rate>/<split>/<file name>: mono, 16-bit wav, or of floats where a sound is louder than full scale

Source: the published hear-preprocess 2021.1.1 and hear-eval-kit 2021.1.3.
"""

import csv
import io
import json
import posixpath
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from doppelgangers.datasets.hear_metadata import SPLITS, check_metadata, order_splits
from doppelgangers.datasets.labels import in_order
from doppelgangers.errors import UserError
from doppelgangers.files import replace

METADATA, VOCABULARY = "task_metadata.json", "labelvocabulary.csv"
PREFERRED_HZ = 16000  # the encoders' rate


def write_task(
    folder: Path,
    *,
    name: str,
    version: str,
    mode: str,
    rate_hz: int,
    duration_s: float | None,
    prediction_type: str,
    evaluation: list[str],
    sounds: Iterable[tuple[str, str, list, np.ndarray]],
) -> Path:
    """Write folder/<name>-<version>-<mode>, whole or not at all; an earlier one is replaced.

    Args:
        folder: of tasks.
        name: of the task.
        version: of the data.
        mode: HEAR's name for the size of the task, such as full or 5h.
        rate_hz: of the sounds.
        duration_s: of every sound; None where they differ.
        prediction_type: multiclass (one label per sound) or multilabel (any number of labels).
        evaluation: HEAR's names of the scores (top1_acc, mAP, pitch_acc, ...); the first chooses the probe.
        sounds: (file name, split, labels, samples (T,) float32), taken one by one; the splits are train, valid
            and test, or fold00, fold01, ...

    Returns:
        the task's folder.

    Raises:
        UserError: naming a sound that is not finite, has a wrong length, has a label or a file name that cannot be stored,
            or comes twice; or the splits, when they are neither of the two kinds.
    """
    task = Path(folder) / f"{name}-{version}-{mode}"
    labels_of: dict[str, dict[str, list[str]]] = {}
    with replace(task) as temporary:
        try:
            for file, split, labels, samples in sounds:
                order_splits(name, {*labels_of, split}, whole=False)
                check_sound(file, samples, round(duration_s * rate_hz) if duration_s else None)
                if file in labels_of.setdefault(split, {}):
                    raise UserError(f"{name}: {split} has two sounds of the name {file}")
                labels_of[split][file] = check_labels([str(label) for label in labels], prediction_type, f"{split}/{file}")
                path = temporary / str(rate_hz) / split / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wav_bytes(samples, rate_hz))
            splits = order_splits(name, set(labels_of))
            for split in splits:
                write_indented(temporary / f"{split}.json", labels_of[split])
            vocabulary = {label for files in labels_of.values() for labels in files.values() for label in labels}
            with open(temporary / VOCABULARY, "w", newline="") as table:
                rows = [("idx", "label"), *enumerate(in_order(vocabulary))]
                csv.writer(table, lineterminator="\n").writerows(rows)
            metadata = {
                "task_name": name,
                "version": version,
                "embedding_type": "scene",
                "prediction_type": prediction_type,
                "split_mode": "trainvaltest" if splits == SPLITS else "presplit_kfold",
                "sample_duration": duration_s,
                "evaluation": evaluation,
                "mode": mode,
                "splits": splits,
            }
            write_indented(temporary / METADATA, metadata | ({} if splits == SPLITS else {"nfolds": len(splits)}))
            shutil.rmtree(task, ignore_errors=True)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return task


def check_sound(file: str, samples: np.ndarray, expected: int | None) -> None:
    """Refuse a sound that the format cannot hold.

    Raises:
        UserError: naming the file.
    """
    if file != posixpath.basename(file) or "\\" in file or not file.strip("."):
        raise UserError(f"{file!r} cannot be the name of a sound: it must be a file name without folders")
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise UserError(f"{file} is not a mono sound of finite samples")
    if expected and len(samples) != expected:
        raise UserError(f"{file} has {len(samples)} samples, expected {expected}, as for every sound of the task")


def check_labels(labels: list[str], prediction_type: str, name: str) -> list[str]:
    """The labels of a sound, if they can be joined to one text and separated again.

    Raises:
        UserError: naming the sound.
    """
    if unfit := [label for label in labels if ";" in label or not label]:
        raise UserError(f"{name} has the label {unfit[0]!r}: labels are joined with ';', so they cannot contain it or be empty")
    if prediction_type == "multiclass" and len(labels) != 1:
        raise UserError(f"{name} has {len(labels)} labels, and a multiclass task has exactly one per sound")
    return labels


def wav_bytes(samples: np.ndarray, rate_hz: int) -> bytes:
    """Content of a wav file: 16-bit, or floats where a sound is louder than full scale, which 16-bit integers would clip."""
    data = io.BytesIO()
    subtype = "PCM_16" if np.abs(samples).max(initial=0) <= 1 else "FLOAT"
    soundfile.write(data, samples, rate_hz, format="WAV", subtype=subtype)
    return data.getvalue()


def write_indented(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


def read_task(names: Iterable[str], read: Callable[[str], bytes]) -> tuple[pd.DataFrame, dict]:
    """Read the tables of a task; the caller reads the sounds.

    Args:
        names: relative paths, with "/", of all files of an unpacked folder or an archive.
        read: takes one of the names, returns the content of the file.

    Returns:
        a row per sound: `clip` ("<split>/<file name>"), `fold` (train, valid, test, or 1, 2, ...), `label` (joined with
        ";"), `file` (one of the names); and the content of task_metadata.json. Where there are several sample rates, the
        sounds are those of the lowest rate that is not under 16 kHz.

    Raises:
        UserError: when it is not one task of whole sounds, or some of its files are missing: with the first and the number.
    """
    names = set(names)
    found = sorted(name for name in names if posixpath.basename(name) == METADATA)
    if len(found) != 1:
        tasks = ", ".join(posixpath.dirname(name) or "." for name in found)
        raise UserError(f"it has several tasks, name one of them: {tasks}" if found else f"it is no HEAR task: no {METADATA}")
    root = found[0].removesuffix(METADATA)
    metadata = read_json_of(found[0], read)
    check_metadata(metadata, found[0])
    tables = [f"{root}{split}.json" for split in metadata["splits"]]
    require([*tables, root + VOCABULARY], names, "files of the task")

    rate_hz = choose_rate(root, names)
    vocabulary = {row.get("label", "") for row in csv.DictReader(io.StringIO(read(root + VOCABULARY).decode()))}
    rows = []
    for split, table in zip(metadata["splits"], tables, strict=True):
        fold = int(split.removeprefix("fold")) + 1 if re.fullmatch(r"fold\d+", split) else split
        for file, labels in read_json_of(table, read).items():
            clip = f"{split}/{file}"
            labels = check_labels([str(label) for label in labels], metadata["prediction_type"], clip)
            rows.append((clip, fold, ";".join(labels), f"{root}{rate_hz}/{clip}"))
    clips = pd.DataFrame(rows, columns=["clip", "fold", "label", "file"])
    require(clips["file"], names, "sounds")
    used = dict.fromkeys(label for text in clips["label"] for label in text.split(";") if label)
    require(used, vocabulary, f"labels in {VOCABULARY}")
    return clips, metadata


def read_json_of(name: str, read: Callable[[str], bytes]) -> dict:
    """Content of a JSON file that holds a mapping.

    Raises:
        UserError: naming the file, when it is damaged.
    """
    try:
        content = json.loads(read(name))
    except ValueError as error:
        raise UserError(f"{name} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{name} is damaged: it is not a mapping")
    return content


def require(expected: Iterable[str], there: set[str], what: str) -> None:
    """Refuse a task of which something is missing.

    Raises:
        UserError: with the number of missing things and the first.
    """
    expected = list(expected)
    if missing := [name for name in expected if name not in there]:
        raise UserError(f"{len(missing)} of {len(expected)} {what} are missing, the first is {missing[0]}")


def choose_rate(root: str, names: set[str]) -> int:
    """The lowest sample rate that is high enough for the encoders, or else the highest.

    Raises:
        UserError: when there is no folder of sounds.
    """
    folders = (name.removeprefix(root).split("/")[0] for name in names if name.startswith(root))
    rates = sorted({int(folder) for folder in folders if folder.isdecimal()})
    if not rates:
        raise UserError(f"{root or '.'} has no sounds: no folder is named after a sample rate")
    return next((rate for rate in rates if rate >= PREFERRED_HZ), rates[-1])
