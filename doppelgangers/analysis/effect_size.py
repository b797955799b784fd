"""How far two samples lie apart, and how sure that is."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike


def cliffs_delta(x: ArrayLike, y: ArrayLike) -> float:
    """P(X > Y) - P(X < Y) over all pairs of a value of x and one of y (Cliff 1993), from -1 to 1; ties count half to each.

    Above 0 means that values of x are larger. It is 2 A - 1, where A is the area under the ROC curve.

    Args:
        x: (N,) values.
        y: (M,) values.

    Returns:
        NaN where a sample is empty or holds a NaN: leaving values out is for the caller, who says how many.
    """
    x, y = np.asarray(x, np.float64).ravel(), np.sort(np.asarray(y, np.float64), axis=None)
    if not len(x) or not len(y) or np.isnan(x).any() or np.isnan(y).any():
        return float("nan")
    # Whole numbers: the same to the bit in whatever order the values come.
    below, not_above = np.searchsorted(y, x, "left"), np.searchsorted(y, x, "right")
    return float((int(below.sum()) + int(not_above.sum()) - len(x) * len(y)) / (len(x) * len(y)))


def bootstrap_interval(
    statistic: Callable[..., float], *samples: ArrayLike, resamples: int, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of a statistic of independent samples (Efron and Tibshirani 1993, chapter 13).

    Args:
        statistic: of as many arrays as there are samples.
        samples: each (N_i, ...); its rows are drawn with replacement, those of one sample independently of another's. Values
            that belong together, such as both of a pair, are one row.
        resamples: how often.
        seed: the same seed gives the same interval.
        level: share of the resampled statistics between the limits.

    Returns:
        The lower and the upper limit; NaN where a sample is empty or the statistic of a resample is NaN.
    """
    arrays = [np.asarray(sample) for sample in samples]
    if not all(map(len, arrays)):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    found = [statistic(*(array[rng.integers(len(array), size=len(array))] for array in arrays)) for _ in range(resamples)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
