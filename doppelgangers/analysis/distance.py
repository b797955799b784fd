"""Distances between two sets of embeddings, by their distributions."""

import numpy as np

LEAST_PER_DIMENSION = 3  # points that an extrapolation to infinitely many needs, for each dimension
SUBSETS, REPEATS = 10, 4  # sizes that it is fitted to, and draws of each
SCALE = 100.0  # of kernel distances, as their authors have it


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Fréchet distance between the Gaussians that have the means and covariances of two sets (Kilgour et al. 2019: FAD).

    |m1 - m2|² + tr C1 + tr C2 - 2 tr √(C1 C2). With C = AᵀA the last trace is the sum of the singular values of A1 A2ᵀ,
    which is real whatever is rounded, and needs no more points than dimensions.

    Args:
        x, y: (N, D) and (M, D), at least two points each.

    Returns:
        0 or more, in the square of the embedding's unit. Its bias is positive and shrinks as 1 / N.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    shift = x.mean(axis=0) - y.mean(axis=0)
    first, second = root_of_covariance(x), root_of_covariance(y)
    cross = np.linalg.norm(first @ second.T, "nuc")
    return max(0.0, float(shift @ shift + np.square(first).sum() + np.square(second).sum() - 2 * cross))


def root_of_covariance(x: np.ndarray) -> np.ndarray:
    """A matrix A (min(N, D), D) with AᵀA the covariance of the points x (N, D)."""
    centred = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if centred.shape[0] > centred.shape[1] else centred


def frechet_at_infinity(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Fréchet distance that infinitely many points would have (Chong and Forsyth 2020; Gui et al. 2024: FAD∞).

    Fitted as a line in 1 / N to subsets, drawn without replacement, of a half to all of the points of both sets. It has no bias
    to speak of and may be a little below 0.

    Returns:
        NaN where a set has fewer than 3 points for each dimension: the line is no line there.
    """
    points = min(len(x), len(y))
    if points < LEAST_PER_DIMENSION * x.shape[1]:
        return float("nan")
    rng = np.random.default_rng(seed)
    sizes = np.repeat(np.round(1 / np.linspace(1 / points, 2 / points, SUBSETS)).astype(int), REPEATS)
    found = [frechet_distance(rng.permutation(x)[:size], rng.permutation(y)[:size]) for size in sizes]
    return float(np.polynomial.Polynomial.fit(1 / sizes, found, 1)(0))


def kernel_distance(within: np.ndarray, within_against: np.ndarray, across: np.ndarray) -> float:
    """Kernel audio distance (Chung et al. 2025: KAD): 100 times the unbiased squared maximum mean discrepancy.

    The kernel is exp(-d² / 2 s²), where s is the median distance within `against`. Two sets of one kind have 0 on average,
    however few points they have; single values may be below.

    Args:
        within, within_against, across: distances, as in `coverage.reach`.

    Returns:
        NaN where a set has fewer than two points, or most points of `against` are equal.
    """
    n, m = across.shape
    if min(n, m) < 2 or not (width := np.median(within_against[np.triu_indices(m, 1)])) > 0:
        return float("nan")
    own, theirs, both = (np.exp(-np.square(d) / (2 * width**2)) for d in (within, within_against, across))
    # The diagonals are 1.
    mean_own, mean_theirs = (own.sum() - n) / (n * (n - 1)), (theirs.sum() - m) / (m * (m - 1))
    return float(SCALE * (mean_own + mean_theirs - 2 * both.mean()))
