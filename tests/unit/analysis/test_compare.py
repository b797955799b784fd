"""The stage that compares features of sets, on features whose comparison is known."""

import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.compare import FARTHEST, compare_features, standardized
from doppelgangers.analysis.feature_units import UNITS
from doppelgangers.errors import UserError
from tests.unit.analysis.made_sets import write_features, write_set

FEATURES = len(UNITS)


def made(tmp_path, values):
    """Sets of these features: voice-0.05 (pairs), two datasets, noise."""
    features, sounds = [], []
    for (name, kind), rows in zip(
        [("voice-0.05", "synthetic"), ("esc50", "dataset"), ("notes", "dataset"), ("noise", "noise")], values, strict=True
    ):
        sounds.append(write_set(tmp_path / name, name, kind, np.zeros((len(rows), 8))))
        features.append(write_features(tmp_path / f"{name}.csv", rows))
    return features, sounds


def run(tmp_path, features, sounds):
    tables = [tmp_path / f"out/{name}.csv" for name in ("differences", "coverage", "extremes")]
    compare_features(*tables, features=features, sounds=sounds, resamples=100)
    return [pd.read_csv(path) for path in tables]


@pytest.fixture
def values():
    """Pairs whose second views would spoil everything, a dataset, one that is shifted far, and noise like the first dataset."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(size=(80, FEATURES))
    pairs[1::2] = 1e6
    pairs[::2, 0] += 10
    return [pairs, *(rng.normal(place, 1, size=(60, FEATURES)) for place in (0, 50, 0))]


def test_features_of_sets_are_compared_with_every_dataset(tmp_path, values):
    values[0][0:20:2, list(UNITS).index("inharmonicity")] = np.nan
    differences, coverage, extremes = run(tmp_path, *made(tmp_path, values))
    assert list(differences.groupby(["against", "sounds"], sort=False).groups) == [
        (against, name) for against in ("esc50", "notes") for name in ("voice-0.05", "esc50", "notes", "noise")
    ]
    rows = differences.set_index(["against", "sounds", "feature"])
    first = rows.loc[("esc50", "voice-0.05", "flux")]
    assert (first.cliff, first.low, first.high, first["count"], first.count_against) == (1, 1, 1, 40, 60)
    assert first["median"] == pytest.approx(np.median(values[0][::2, 0]), rel=1e-5)
    assert first.unit == UNITS["flux"]
    assert rows.loc[("esc50", "voice-0.05", "inharmonicity"), "count"] == 30
    assert rows.loc[("notes", "voice-0.05", "centroid"), "cliff"] == -1
    halves = differences[(differences.against == "esc50") & (differences.sounds == "esc50")]
    assert (halves["count"] == 30).all()
    assert halves.cliff.abs().max() < 0.6
    assert ((halves.low <= halves.cliff) & (halves.cliff <= halves.high)).all()

    reach = coverage.set_index(["against", "sounds"])
    assert (reach.k == 5).all()
    assert (reach["count"] == 30).all()
    assert reach.loc[("notes", "voice-0.05"), "coverage"] == 0
    for same in ("esc50", "noise"):
        assert reach.loc[("esc50", same), "coverage"] > 0.8
        assert reach.loc[("esc50", same), "coverage_back"] > 0.8
    limits = reach[["coverage_low", "coverage", "coverage_high"]].to_numpy()
    assert (np.diff(limits, axis=1) >= 0).all()

    assert (extremes.groupby(["sounds", "against", "of"]).size() == FARTHEST).all()
    assert not (extremes.sounds == extremes.against).any()
    voices = extremes[extremes.of == "voice-0.05"]
    assert (voices.sound % 2 == 0).all()  # never the other view


def test_the_farthest_sounds_are_those_of_a_loop(tmp_path, values):
    values[3][17] = 9.0
    _, _, extremes = run(tmp_path, *made(tmp_path, values))
    found = extremes[(extremes.sounds == "noise") & (extremes.against == "esc50") & (extremes.of == "noise")]
    deviation = values[1].std(axis=0)
    nearest = [min(np.linalg.norm((a - b) / deviation) for b in values[1]) for a in values[3]]
    assert found.sound.iloc[0] == 17
    assert found.sound.tolist() == np.argsort(nearest)[::-1][:FARTHEST].tolist()
    assert found.distance.tolist() == pytest.approx(sorted(nearest)[::-1][:FARTHEST], rel=1e-5)


def test_the_same_features_give_the_same_bytes(tmp_path, values):
    features, sounds = made(tmp_path, values)
    run(tmp_path, features, sounds)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    run(tmp_path, features, sounds)
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_a_feature_that_no_sound_has_leaves_cells_empty(tmp_path, values):
    for rows in values:
        rows[:, 7] = np.nan
    differences, coverage, _ = run(tmp_path, *made(tmp_path, values))
    assert differences[differences.feature == list(UNITS)[7]][["median", "cliff", "low"]].isna().all(axis=None)
    assert coverage.coverage.notna().all()


def test_too_few_sounds_have_no_coverage(tmp_path, values):
    values[1] = values[1][:8]
    _, coverage, _ = run(tmp_path, *made(tmp_path, values))
    assert coverage[coverage.against == "esc50"].coverage.isna().all()
    assert coverage[coverage.against == "notes"].set_index("sounds").loc["noise"].notna().all()


def test_standardized_features_have_the_units_of_the_set_they_are_held_against():
    against = np.array([[0.0, 7, np.nan, 1], [2, 7, np.nan, 3], [4, 7, 5, np.nan]])
    found = standardized(np.array([[2.0, 9, 9, 4], [np.nan, 7, 5, 2]]), against)
    deviation = np.std([0, 2, 4])
    np.testing.assert_allclose(found, [[0, 2], [0, 0]] / np.array([deviation, 1]))


def test_features_of_other_sounds_are_refused(tmp_path, values):
    features, sounds = made(tmp_path, values)
    write_features(features[1], values[1][:-1])
    with pytest.raises(UserError, match=r"esc50\.csv does not have the features of the sounds"):
        run(tmp_path, features, sounds)
