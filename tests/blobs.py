"""Features that a probe can learn from."""

import numpy as np

from doppelgangers.evaluation.runs import Run


def blobs(n=150, dimension=8, classes=4):
    """Normal noise around a centre for each class: features (n, dimension) and classes (n,)."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n)
    return (rng.standard_normal((n, dimension)) + 2 * np.eye(classes, dimension)[y]).astype(np.float32), y


def folds(n, k):
    """A run for each of k folds of n clips; validation is on the fold after the test fold."""
    fold = np.arange(n) % k
    return [
        Run(np.flatnonzero((fold != i) & (fold != (i + 1) % k)), *(np.flatnonzero(fold == j % k) for j in (i + 1, i)))
        for i in range(k)
    ]
