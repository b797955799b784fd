"""What clips.csv of a dataset says of a task: which clips it has, their labels and their folds. All of it is text."""

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from doppelgangers.datasets.catalogue import Task
from doppelgangers.errors import UserError

NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Labelled(NamedTuple):
    """The clips of a task.

    Attributes:
        rows: of clips.csv that are part of the task, (N,).
        labels: of each, one or several.
        classes: all labels, in order.
    """

    rows: np.ndarray
    labels: list[list[str]]
    classes: list[str]


def read_clips(clips: Path) -> pd.DataFrame:
    """Columns of clips.csv as text, so that 1.10 is not 1.1 and NA is a label; nan where they are empty."""
    return pd.read_csv(clips, dtype=str, keep_default_na=False, na_values=[""])


def read_labelled(table: pd.DataFrame, row: Task, where: str) -> Labelled:
    """The clips of a task and what they are, for probes and for other programs alike.

    Args:
        table: clips.csv, as from `read_clips`.
        row: the task.
        where: beginning of an error's message.

    Raises:
        UserError: when a column is missing, or there are not two classes.
    """
    for key, column in (("label", row.label), ("fold", row.fold)):
        if column not in table:
            raise UserError(f"{where} has no column {column}: set the task's {key} to one of {', '.join(table.columns)}")
    labels = [labels_of(text, row.multilabel) for text in table[row.label].fillna("").astype(str)]
    rows = np.flatnonzero([bool(several) for several in labels])
    labels = [labels[i] for i in rows]
    classes = in_order({label for several in labels for label in several})
    if len(classes) < 2:
        raise UserError(
            f"{where} has {len(classes)} classes in the column {row.label}, and a probe needs 2: label more clips, or set "
            "the task's label to another column"
        )
    return Labelled(rows, labels, classes)


def labels_of(text: str, multilabel: bool) -> list[str]:
    """Labels of a clip, without the spaces around them; where there may be several, ";" is between them."""
    parts = {part.strip() for part in (text.split(";") if multilabel else [text])}
    return sorted(parts - {""})


def in_order(labels: Iterable[str]) -> list[str]:
    """Labels in order: of their numbers where all are numbers, or else of their letters. HEAR derives a chroma from it."""
    ordered = sorted(labels)
    return sorted(ordered, key=Decimal) if all(map(NUMBER.fullmatch, ordered)) else ordered


def folds_of(column: pd.Series, where: str) -> np.ndarray:
    """Folds (N,), as integers where all are numbers.

    Raises:
        UserError: when some are missing.
    """
    if missing := int(column.isna().sum()):
        raise UserError(f"{where} has {missing} labelled clips without a fold: give them one, or take their label")
    return column.astype(float).astype(int).to_numpy() if column.str.fullmatch(r"\d+(\.0)?").all() else column.to_numpy(object)
