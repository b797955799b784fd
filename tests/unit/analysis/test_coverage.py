"""Coverage, density, precision and recall, against loops over the definitions."""

import math

import numpy as np
import pytest

from doppelgangers.analysis.coverage import distances, halvings, radii, reach


def clouds(n=40, m=30, shift=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)), rng.normal(shift, 1, size=(m, 3))


def by_definition(x, y, k):
    """The definitions of Kynkäänniemi 2019 and Naeem 2020 as sums over points; y are the real ones."""

    def radius(points, i):
        return sorted(math.dist(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    own, theirs = [radius(x, i) for i in range(len(x))], [radius(y, j) for j in range(len(y))]
    return {
        "coverage": np.mean([any(math.dist(p, q) <= r for p in x) for q, r in zip(y, theirs, strict=True)]),
        "coverage_back": np.mean([any(math.dist(p, q) <= r for q in y) for p, r in zip(x, own, strict=True)]),
        "density": sum(math.dist(p, q) <= r for p in x for q, r in zip(y, theirs, strict=True)) / (k * len(x)),
        "precision": np.mean([any(math.dist(p, q) <= r for q, r in zip(y, theirs, strict=True)) for p in x]),
        "recall": np.mean([any(math.dist(p, q) <= r for p, r in zip(x, own, strict=True)) for q in y]),
    }


def measure(x, y, k):
    return vars(reach(distances(x, x), distances(y, y), distances(x, y), k))


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("shift", [0, 0.5, 2, 9])
def test_reach_is_that_of_the_definitions(k, shift):
    x, y = clouds(shift=shift)
    assert measure(x, y, k) == pytest.approx(by_definition(x, y, k))


def test_a_set_reaches_all_of_itself():
    x, _ = clouds()
    found = measure(x, x, 5)
    assert [found[name] for name in ("coverage", "coverage_back", "precision", "recall")] == [1, 1, 1, 1]
    assert found["density"] == pytest.approx(6 / 5)  # every point lies in its own ball too


def test_sets_that_are_far_apart_reach_nothing():
    x, y = clouds(shift=100)
    assert set(measure(x, y, 5).values()) == {0}


def test_coverage_of_one_law_is_that_of_theory():
    """Naeem 2020: expected coverage of N points by N others of the same law is 1 - (N - 1)...(N - k) / (2N - 1)...(2N - k)."""
    n, k, found = 100, 5, []
    for seed in range(30):
        x, y = clouds(n, n, 0, seed)
        found.append(measure(x, y, k)["coverage"])
    expected = 1 - math.prod((n - i) / (2 * n - i) for i in range(1, k + 1))
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / math.sqrt(30))


def test_one_mode_of_two_covers_a_half():
    rng = np.random.default_rng(0)
    modes = np.concatenate([rng.normal(0, 1, (50, 2)), rng.normal(50, 1, (50, 2))])
    found = measure(rng.normal(0, 1, (200, 2)), modes, 5)
    assert 0.45 <= found["coverage"] <= 0.5
    assert found["precision"] > 0.95


def test_too_few_points_have_no_reach():
    x, y = clouds(5, 30)
    assert np.isnan(list(measure(x, y, 5).values())).all()
    assert not np.isnan(list(measure(x, y, 4).values())).any()


def test_distances_are_those_of_a_loop_and_exactly_0_between_equal_points():
    x, y = clouds()
    y[3] = x[7]
    found = distances(x.astype(np.float32), y.astype(np.float32))
    assert found[7, 3] == 0
    assert found[2, 5] == pytest.approx(math.dist(x[2], y[5]), rel=1e-5)
    np.testing.assert_allclose(radii(distances(x, x), 1)[0], min(math.dist(x[0], p) for p in x[1:]))


@pytest.mark.parametrize(("sounds", "against", "size"), [(20, None, 10), (21, None, 10), (30, 21, 10), (6, 21, 6)])
def test_halves_are_equal_and_of_different_rows(sounds, against, size):
    draws = list(halvings(sounds, against, 5))
    for ours, theirs in draws:
        assert len(set(ours)) == len(set(theirs)) == len(ours) == len(theirs) == size
        if against is None:
            assert not set(ours) & set(theirs)
    assert any((draws[0][1] != theirs).any() for _, theirs in draws[1:])
    again = list(halvings(sounds, against, 5))
    assert all((a == b).all() for one, two in zip(draws, again, strict=True) for a, b in zip(one, two, strict=True))
