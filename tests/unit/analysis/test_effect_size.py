"""Effect sizes and intervals, against slow loops and known cases."""

import math

import numpy as np
import pytest

from doppelgangers.analysis.effect_size import bootstrap_interval, cliffs_delta


@pytest.mark.parametrize("levels", [3, 10, 1000])
def test_cliffs_delta_is_that_of_a_loop_over_all_pairs(levels):
    rng = np.random.default_rng(levels)
    x, y = rng.integers(levels, size=31), rng.integers(levels // 3, levels, size=47)
    loop = sum((a > b) - (a < b) for a in x.tolist() for b in y.tolist()) / (31 * 47)
    assert cliffs_delta(x, y) == pytest.approx(loop, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([2, 3], [0, 1], 1),
        ([0, 1], [2, 3], -1),
        ([1, 1], [1, 1], 0),
        ([1, 2, 3], [2], 0),
        ([1, 2], [1], 0.5),
        ([5], [5, 4], 0.5),
    ],
)
def test_known_cases(x, y, expected):
    assert cliffs_delta(x, y) == expected
    assert cliffs_delta(y, x) == -expected


def test_shifted_gaussians_have_the_delta_of_theory():
    rng = np.random.default_rng(0)
    x, y = rng.normal(1, 1, 20_000), rng.normal(0, 1, 20_000)
    assert cliffs_delta(x, y) == pytest.approx(math.erf(0.5), abs=0.015)  # 2 Phi(1 / sqrt 2) - 1


@pytest.mark.parametrize(("x", "y"), [([], [1]), ([1], []), ([1, np.nan], [1]), ([1], [np.nan])])
def test_what_has_no_delta_is_nan(x, y):
    assert math.isnan(cliffs_delta(x, y))


def test_an_order_of_the_values_changes_no_bit():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=100), rng.normal(size=77)
    assert cliffs_delta(x, y) == cliffs_delta(x[::-1], rng.permutation(y))


def test_an_interval_of_a_mean_is_that_of_theory():
    sample = np.random.default_rng(2).normal(5, 2, 400)
    low, high = bootstrap_interval(np.mean, sample, resamples=4000)
    half = 1.96 * sample.std() / 20
    assert low == pytest.approx(sample.mean() - half, abs=0.02)
    assert high == pytest.approx(sample.mean() + half, abs=0.02)
    narrow = bootstrap_interval(np.mean, sample, resamples=4000, level=0.5)
    assert narrow[1] - narrow[0] == pytest.approx(2 * 0.6745 * sample.std() / 20, rel=0.05)


def test_about_95_of_100_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    intervals = [
        bootstrap_interval(cliffs_delta, rng.normal(1, 1, 60), rng.normal(0, 1, 60), resamples=200) for _ in range(100)
    ]
    assert 88 <= sum(low <= math.erf(0.5) <= high for low, high in intervals) <= 100


def test_a_seed_gives_one_interval():
    sample = np.arange(20.0)
    first = bootstrap_interval(np.median, sample, resamples=100)
    assert bootstrap_interval(np.median, sample, resamples=100) == first
    assert bootstrap_interval(np.median, sample, resamples=100, seed=1) != first


def test_rows_stay_together_and_samples_are_drawn_apart():
    pairs = np.column_stack([np.arange(10), np.arange(10)])
    seen = []

    def statistic(rows, other):
        assert (rows[:, 0] == rows[:, 1]).all()
        seen.append((rows[:, 0] == other).all())
        return 0.0

    assert bootstrap_interval(statistic, pairs, np.arange(10), resamples=50) == (0, 0)
    assert not any(seen)


def test_an_empty_sample_has_no_interval():
    assert np.isnan(bootstrap_interval(np.mean, [], resamples=10)).all()
