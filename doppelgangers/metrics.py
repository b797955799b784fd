"""Scores of a classifier, by scikit-learn."""

import numpy as np
from sklearn.metrics import accuracy_score, average_precision_score, f1_score


def score(targets: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Accuracy and macro F1 (one label a clip), and mean average precision.

    Args:
        targets: class indices (N,), or 0/1 (N, C) for several labels a clip.
        scores: class scores (N, C).

    Returns:
        shares of 1. A class without a positive clip counts in neither F1 nor mAP.
    """
    if targets.ndim == 2:
        return {"mAP": mean_average_precision(targets, scores)}
    predicted = scores.argmax(axis=1)
    present = np.unique(targets)
    return {
        "accuracy": float(accuracy_score(targets, predicted)),
        "macro_f1": float(f1_score(targets, predicted, labels=present, average="macro", zero_division=0)),
        "mAP": mean_average_precision(np.eye(scores.shape[1], dtype=int)[targets], scores),
    }


def mean_average_precision(targets: np.ndarray, scores: np.ndarray) -> float:
    """Mean over the classes that occur of their average precision; both (N, C)."""
    present = targets.any(axis=0)
    return float(average_precision_score(targets[:, present], scores[:, present], average="macro"))
