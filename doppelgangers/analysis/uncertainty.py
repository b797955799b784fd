"""Causal uncertainty: how sure a tagger is of what made a sound, by several definitions, which need not agree.

Of each head a definition makes a number from 0, certain, to 1, as uncertain as can be; a sound has the mean over the heads.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

Outputs = Literal["softmax", "sigmoid"]


def uncertainty(definition: str, logits: list[np.ndarray], outputs: Outputs) -> np.ndarray:
    """Uncertainty of N sounds, (N,) float64.

    Args:
        definition: of `DEFINITIONS`.
        logits: (N, C) of each head, C at least 2.
        outputs: what makes them probabilities.
    """
    return np.mean([DEFINITIONS[definition](head.astype(np.float64), outputs) for head in logits], axis=0)


def entropy(logits: np.ndarray, outputs: Outputs) -> np.ndarray:
    """Entropy of probabilities that sum to 1, over its largest value, log C; sigmoids are divided by their sum."""
    log_p = logits if outputs == "softmax" else log_sigmoid(logits)
    return softmax_entropy(log_p, outputs)


def softmax_entropy(logits: np.ndarray, _outputs: Outputs) -> np.ndarray:
    """Entropy of the softmax, over log C, even where the network was trained with sigmoids."""
    log_p = log_softmax(logits)
    return -(np.exp(log_p) * log_p).sum(axis=1) / np.log(logits.shape[1])


def binary_entropy(logits: np.ndarray, outputs: Outputs) -> np.ndarray:
    """Mean over the classes of the entropy of "it is this class" and "it is not", in bits."""
    p = probabilities(logits, outputs)
    return (plogp(p) + plogp(1 - p)).mean(axis=1) / -np.log(2)


def top(logits: np.ndarray, outputs: Outputs) -> np.ndarray:
    """What the probability of the most probable class lacks of 1."""
    return 1 - probabilities(logits, outputs).max(axis=1)


DEFINITIONS: dict[str, Callable[[np.ndarray, Outputs], np.ndarray]] = {
    "entropy": entropy,
    "softmax_entropy": softmax_entropy,
    "binary_entropy": binary_entropy,
    "top": top,
}


def probabilities(logits: np.ndarray, outputs: Outputs) -> np.ndarray:
    """Probabilities of the classes as the network was trained to give them: they sum to 1 with softmax only."""
    return np.exp(log_softmax(logits) if outputs == "softmax" else log_sigmoid(logits))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def log_sigmoid(logits: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0, -logits)


def plogp(p: np.ndarray) -> np.ndarray:
    """p log p, which is 0 for p = 0."""
    return p * np.log(np.where(p > 0, p, 1))
