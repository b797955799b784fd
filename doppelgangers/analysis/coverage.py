"""How far two sets of points reach into each other, from the distances between them.

A point of a set covers a ball, as wide as its k-th nearest neighbour in its own set is far. The definitions are those of
Kynkäänniemi et al. 2019 (precision, recall) and Naeem et al. 2020 (density, coverage); a point on a ball's surface is within.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

K = 5  # neighbours, as Naeem et al. have it


@dataclasses.dataclass(frozen=True)
class Reach:
    """How far `sounds` and `against` reach into each other, from 0 to 1, but density, which may be above.

    Attributes:
        coverage: share of `against` whose ball holds a point of `sounds`.
        coverage_back: the same the other way: share of `sounds` whose ball holds a point of `against`.
        density: in how many balls of `against` a point of `sounds` lies, over k; 1 is expected where both are alike.
        precision: share of `sounds` that lie in a ball of `against`.
        recall: share of `against` that lie in a ball of `sounds`.
    """

    coverage: float
    coverage_back: float
    density: float
    precision: float
    recall: float


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Euclidean distances, (N, M) float64, between points x (N, D) and y (M, D); exactly 0 between equal points."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return np.stack([np.sqrt(np.square(y - point).sum(axis=1)) for point in x])


def radii(within: np.ndarray, k: int = K) -> np.ndarray:
    """Distance of each point to its k-th nearest neighbour, (N,), from the distances (N, N) within its set."""
    return np.partition(within, k, axis=1)[:, k]  # the nearest is the point itself


def reach(within: np.ndarray, within_against: np.ndarray, across: np.ndarray, k: int = K) -> Reach:
    """How far two sets reach into each other; all NaN where one has no more than k points.

    Args:
        within: distances (N, N) within `sounds`.
        within_against: distances (M, M) within `against`.
        across: distances (N, M) from `sounds` to `against`.
        k: neighbours.
    """
    if min(across.shape) <= k:
        return Reach(*[float("nan")] * 5)
    in_theirs = across <= radii(within_against, k)[None, :]
    in_ours = across <= radii(within, k)[:, None]
    return Reach(
        coverage=float(in_theirs.any(axis=0).mean()),
        coverage_back=float(in_ours.any(axis=1).mean()),
        density=float(in_theirs.sum(axis=1).mean() / k),
        precision=float(in_theirs.any(axis=1).mean()),
        recall=float(in_ours.any(axis=0).mean()),
    )


def halvings(sounds: int, against: int | None, count: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw, again and again, one half of `against` and as many of `sounds`, without replacement: rows (n,) of both.

    All sets are compared with halves of a size, because coverage and distances depend on the number of points; so a set can be
    compared with its own other half, which is what two sets of one kind look like.

    Args:
        sounds: number of points of the set; of the same set as `against`, if that is None.
        against: number of points of the set that it is compared with.
        count: how often.
        seed: the same seed gives the same halves.
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        if against is None:
            order = rng.permutation(sounds)
            yield order[: sounds // 2], order[sounds // 2 : 2 * (sounds // 2)]
        else:
            half = min(against // 2, sounds)
            theirs = rng.permutation(against)[:half]
            yield rng.permutation(sounds)[:half], theirs
