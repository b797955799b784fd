"""Distances between distributions, against scipy's square root, closed forms and loops."""

import math

import numpy as np
import pytest
import scipy.linalg

from doppelgangers.analysis.coverage import distances
from doppelgangers.analysis.distance import frechet_at_infinity, frechet_distance, kernel_distance


def with_square_root(x, y):
    """The usual form, whose square root has an imaginary part of rounding."""
    one, two = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    shift = x.mean(axis=0) - y.mean(axis=0)
    return shift @ shift + np.trace(one + two - 2 * scipy.linalg.sqrtm(one @ two).real)


@pytest.mark.parametrize(("n", "m", "d"), [(50, 60, 4), (200, 90, 30), (31, 400, 30)])
def test_frechet_is_that_of_the_matrix_square_root(n, m, d):
    rng = np.random.default_rng(n)
    mixing = rng.normal(size=(d, d))
    x, y = rng.normal(size=(n, d)) @ mixing, rng.normal(0.3, 2, size=(m, d))
    assert frechet_distance(x, y) == pytest.approx(with_square_root(x, y), rel=1e-6)
    assert frechet_distance(y, x) == pytest.approx(frechet_distance(x, y), rel=1e-9)


def test_frechet_of_fewer_points_than_dimensions_is_that_in_the_space_they_span():
    rng = np.random.default_rng(0)
    low = rng.normal(size=(12, 3)), rng.normal(1, 2, size=(15, 3))
    turn = np.linalg.qr(rng.normal(size=(40, 40)))[0][:3]
    x, y = (points @ turn for points in low)
    assert frechet_distance(x, y) == pytest.approx(with_square_root(*low), rel=1e-6)


def test_frechet_of_known_gaussians_is_the_closed_form():
    rng = np.random.default_rng(1)
    shift, first, second = np.array([3.0, 0, -1, 0]), np.array([1.0, 2, 0.5, 1]), np.array([2.0, 2, 1, 0.25])
    x, y = rng.normal(size=(200_000, 4)) * first + shift, rng.normal(size=(200_000, 4)) * second
    expected = shift @ shift + np.square(first - second).sum()
    assert frechet_distance(x, y) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("n", "d"), [(100, 5), (10, 60)])
def test_a_set_has_no_distance_from_itself(n, d):
    x = np.random.default_rng(2).normal(size=(n, d)).astype(np.float32)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + 2) == pytest.approx(4 * d, rel=1e-5)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_at_infinity_the_bias_of_few_points_is_gone(shift):
    rng = np.random.default_rng(3)
    d, n = 40, 400
    x, y = rng.normal(size=(n, d)), rng.normal(shift, 1, size=(n, d))
    truth = d * shift**2
    plain, infinite = frechet_distance(x, y), frechet_at_infinity(x, y)
    assert plain - truth > 1.5
    assert infinite == pytest.approx(truth, abs=0.7 + 0.1 * truth)
    assert frechet_at_infinity(x, y) == infinite


def test_too_few_points_have_no_distance_at_infinity():
    x = np.random.default_rng(4).normal(size=(30, 10))
    assert math.isfinite(frechet_at_infinity(x, x))
    assert math.isnan(frechet_at_infinity(x[:29], x))
    assert math.isnan(frechet_at_infinity(x, x[:29]))


def measure(x, y):
    return kernel_distance(distances(x, x), distances(y, y), distances(x, y))


def test_kernel_distance_is_that_of_loops():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(12, 3)), rng.normal(0.7, 1, size=(9, 3))
    width = np.median([math.dist(y[i], y[j]) for i in range(9) for j in range(i)])

    def kernel(a, b):
        return math.exp(-(math.dist(a, b) ** 2) / (2 * width**2))

    own = np.mean([kernel(x[i], x[j]) for i in range(12) for j in range(12) if i != j])
    theirs = np.mean([kernel(y[i], y[j]) for i in range(9) for j in range(9) if i != j])
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert measure(x, y) == pytest.approx(100 * (own + theirs - 2 * across))


def test_kernel_distance_of_one_law_is_0_on_average_however_few_points():
    rng = np.random.default_rng(6)
    found = [measure(rng.normal(size=(12, 4)), rng.normal(size=(12, 4))) for _ in range(300)]
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / math.sqrt(300))
    assert min(found) < 0
    assert measure(rng.normal(size=(50, 4)), rng.normal(2, 1, size=(50, 4))) > 20


def test_kernel_distance_needs_points_that_differ():
    same = np.zeros((5, 3))
    assert math.isnan(measure(np.eye(3), same))
    assert math.isnan(measure(np.eye(3), np.ones((1, 3))))
