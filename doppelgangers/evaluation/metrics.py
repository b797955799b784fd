"""Scores of a classifier."""

import math
from collections.abc import Callable, Sequence
from typing import get_args

import numpy as np
import torch
from sklearn.metrics import f1_score

from doppelgangers.datasets.catalogue import OF_ONE_LABEL, Metric
from doppelgangers.errors import UserError

METRICS: tuple[str, ...] = get_args(Metric)


def score(targets: np.ndarray, scores: np.ndarray, metrics: Sequence[str], names: Sequence | None = None) -> dict[str, float]:
    """Score the clips by each metric.

    Args:
        targets: class indices (N,), or 0/1 (N, C) for several labels a clip.
        scores: class scores (N, C), higher for likelier.
        metrics: of `METRICS`, the catalogue's.
        names: label value of each class; `chroma_acc` needs them, as MIDI numbers.

    Returns:
        metric -> share of 1, or d'. A class without a positive clip counts in none but accuracy; one without a negative
        does not count in `auroc` and `d_prime`. nan where no class is left; d' is infinite where one is ranked perfectly.

    Raises:
        UserError: where a metric that needs one label a clip meets several, or `chroma_acc` names that are not numbers.
    """
    if targets.ndim == 2 and (single := [metric for metric in metrics if metric in OF_ONE_LABEL]):
        raise UserError(f"metric {single[0]} is for tasks of one label a clip: choose another, or set multilabel: false")
    predicted = scores.argmax(axis=1)
    found = {metric: OF_PREDICTION[metric](targets, predicted, names) for metric in metrics if metric in OF_PREDICTION}
    if ranked := [metric for metric in metrics if metric in OF_RANKING]:
        ranking = rank_classes(targets, scores)
        found |= {metric: OF_RANKING[metric](*ranking) for metric in ranked}
    return {metric: found[metric] for metric in metrics}


def accuracy(targets: np.ndarray, predicted: np.ndarray, names: Sequence | None) -> float:
    """Share of clips whose class is predicted."""
    return float(np.mean(targets == predicted))


def macro_f1(targets: np.ndarray, predicted: np.ndarray, names: Sequence | None) -> float:
    """Mean of the F1 of the classes that occur."""
    return float(f1_score(targets, predicted, labels=np.unique(targets), average="macro", zero_division=0))


def chroma_accuracy(targets: np.ndarray, predicted: np.ndarray, names: Sequence | None) -> float:
    """Share of clips whose pitch is predicted up to octaves."""
    try:
        chroma = np.asarray(names, dtype=float) % 12
    except (TypeError, ValueError) as error:
        raise UserError("metric chroma_acc needs a label column of MIDI numbers: choose another metric") from error
    return float(np.mean(chroma[targets] == chroma[predicted]))


def rank_classes(targets: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average precision, area under the ROC curve and number of positive clips of each class that occurs.

    Clips of equal score share a threshold, as in scikit-learn. Only the positive clips of a class are looked up in its
    sorted scores, which is what makes it fast.

    Args:
        targets: (N,) or (N, C), see `score`.
        scores: (N, C).

    Returns:
        three arrays (classes that occur,); the area is nan for a class without a negative.
    """
    rows = []
    for c, column in enumerate(np.sort(scores.T, axis=1)):
        hits = np.sort(scores[targets[:, c] > 0 if targets.ndim == 2 else targets == c, c])
        positives, negatives = len(hits), len(column) - len(hits)
        if positives:
            below, upto = (np.searchsorted(column, hits, side) for side in ("left", "right"))
            hits_below, hits_upto = (np.searchsorted(hits, hits, side) for side in ("left", "right"))
            precision = (positives - hits_below) / (len(column) - below)  # of the clips that score as much or more
            beaten = (below - hits_below + upto - hits_upto).sum() / 2  # negatives; one of equal score counts half
            rows.append((precision.mean(), beaten / (positives * negatives) if negatives else math.nan, positives))
    precisions, areas, counts = np.array(rows, dtype=float).reshape(-1, 3).T
    return precisions, areas, counts


def mean(values: np.ndarray) -> float:
    """Mean of what is not nan; nan when nothing is left."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else math.nan


def weighted_map(precision: np.ndarray, area: np.ndarray, positives: np.ndarray) -> float:
    """Mean of the average precision, weighted by the number of positive clips."""
    return float(np.average(precision, weights=positives)) if len(positives) else math.nan


def d_prime(precision: np.ndarray, area: np.ndarray, positives: np.ndarray) -> float:
    """Mean of sqrt(2) times the normal quantile of the area, as HEAR scores it."""
    return mean(math.sqrt(2) * torch.special.ndtri(torch.from_numpy(area)).numpy())


OF_PREDICTION: dict[str, Callable[[np.ndarray, np.ndarray, Sequence | None], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "pitch_acc": accuracy,
    "chroma_acc": chroma_accuracy,
}
OF_RANKING: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "mAP": lambda precision, area, positives: mean(precision),
    "weighted_mAP": weighted_map,
    "d_prime": d_prime,
    "auroc": lambda precision, area, positives: mean(area),
}
