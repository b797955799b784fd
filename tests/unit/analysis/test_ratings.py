import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from doppelgangers.analysis.exports import COLUMNS
from doppelgangers.analysis.ratings import analyse_ratings, pooled_row, spearman, spearman_interval, why_not
from doppelgangers.files import write_json
from tests.listeners import write_similarity

DELTAS = ("0.05", "0.25", "0.5")
PAIRS = ("3", "5", "8", "9")
RATED = {f"r{delta}{pair}": {"kind": "rated", "delta": delta, "pair": pair} for delta, pair in itertools.product(DELTAS, PAIRS)}
CATCH = {
    f"{kind}{row}": {"kind": kind, "delta": "", "pair": str(row)} for kind in ("identical", "unrelated") for row in range(3)
}
REPEATS = {f"again{delta}": {"kind": "repeat", "delta": delta, "pair": "3"} for delta in DELTAS}
TRIALS = {**RATED, **CATCH, **REPEATS}


def hand_in(folder, rater, ratings, headphones=6):
    facts = dict.fromkeys(COLUMNS, "1") | {"rater": rater, "page": "p", "headphones_right": headphones, "headphones_of": 6}
    rows = [{**facts, "trial": trial, "rating": rating} for trial, rating in ratings.items()]
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / f"{rater}.csv", index=False)


def careful(rng, slope):
    """Ratings that fall with delta as steeply as said, and some noise; those of a pair that comes again differ by one point."""
    ratings = {f"identical{row}": 7 for row in range(3)} | {f"unrelated{row}": 2 for row in range(3)}
    for name, trial in RATED.items():
        ratings[name] = int(np.clip(round(6 - slope * float(trial["delta"]) + rng.normal()), 2, 6))
    return ratings | {f"again{delta}": ratings[f"r{delta}3"] + 1 for delta in DELTAS}


def analyse(folder, architecture="voice", resamples=200):
    write_json(folder / "key.json", {"page": "p", "architecture": architecture, "scale": [1, 7], "trials": TRIALS})
    tables = folder / "ratings.csv", folder / "ratings_by_delta.csv"
    inputs = {"folder": folder / "in", "key": folder / "key.json", "similarity": write_similarity(folder / "similarity.csv")}
    analyse_ratings(*tables, **inputs, tagger="mn04", resamples=resamples)
    return pd.read_csv(tables[0]).set_index("rater"), pd.read_csv(tables[1])


def test_correlations_are_those_of_scipy_and_careless_raters_do_not_count(tmp_path):
    rng = np.random.default_rng(0)
    given = {f"R{number}": careful(rng, slope) for number, slope in enumerate((8, 4, 2))}
    for rater, ratings in given.items():
        hand_in(tmp_path / "in", rater, ratings)
    hand_in(tmp_path / "in", "Z-same", dict.fromkeys(TRIALS, 7), headphones=3)
    hand_in(tmp_path / "in", "Z-stopped", dict(list(given["R0"].items())[:9]))
    table, by_delta = analyse(tmp_path)

    deltas = [float(trial["delta"]) for trial in RATED.values()]
    expected = {rater: stats.spearmanr([ratings[name] for name in RATED], deltas)[0] for rater, ratings in given.items()}
    assert table.loc[list(given), "rho"].to_dict() == pytest.approx(expected, abs=1e-4)
    assert table.loc["all", "rho"] == pytest.approx(np.mean(list(expected.values())), abs=1e-4)
    assert table["kept"].to_dict() == {"R0": True, "R1": True, "R2": True, "Z-same": False, "Z-stopped": False, "all": True}
    assert table.loc["Z-same", "reason"] == "catch trials: 0 identical rated below 6, 3 unrelated above 3"
    assert table.loc["Z-stopped", "reason"] == "9 of 21 pairs rated"
    assert table.loc["all", ["reason", "trials"]].tolist() == ["3 of 5 raters kept", 36]
    assert np.isnan(table.loc["Z-same", "rho"])  # all the same
    assert (table.loc[[*given, "all"], "low"] <= table.loc[[*given, "all"], "rho"]).all()
    assert (table.loc[[*given, "all"], "rho"] <= table.loc[[*given, "all"], "high"]).all()
    assert table.loc["all", ["repeats", "repeat_difference", "headphones"]].tolist() == [9, 1, 1]
    assert table.loc["R0", "repeat_rho"] == pytest.approx(1)
    assert table.loc["Z-same", "headphones"] == 0.5

    for row, delta in zip(by_delta.itertuples(), DELTAS, strict=True):
        values = [ratings[name] for ratings in given.values() for name, trial in RATED.items() if trial["delta"] == delta]
        assert (f"{row.delta:g}", row.ratings) == (delta, 12)
        assert row.mean == pytest.approx(np.mean(values), abs=1e-4)
        assert row.low < row.mean < row.high
    assert by_delta["cosine_centred"].tolist() == pytest.approx([0.8, 0.4, 0.0])  # of the tagger asked for


def test_where_nobody_is_kept_there_is_no_correlation(tmp_path):
    hand_in(tmp_path / "in", "R1", dict.fromkeys(TRIALS, 4))
    table, by_delta = analyse(tmp_path)
    assert table.loc["all", ["kept", "reason", "trials"]].tolist() == [False, "0 of 1 raters kept", 0]
    assert table.loc["all", ["rho", "low", "high"]].isna().all()
    assert by_delta.empty


def test_an_architecture_without_similarities_has_none_beside_its_ratings(tmp_path):
    hand_in(tmp_path / "in", "R1", careful(np.random.default_rng(0), 4))
    _, by_delta = analyse(tmp_path, architecture="additive")
    assert by_delta["cosine_centred"].isna().all()


@pytest.mark.parametrize(
    ("identical", "unrelated", "kept"),
    [([7, 6, 6], [1, 2, 3], True), ([7, 7, 5], [1, 1, 3], True), ([7, 7, 5], [1, 1, 4], False), ([5, 5, 7], [1, 1, 1], False)],
)
def test_one_catch_trial_may_be_missed(identical, unrelated, kept):
    rows = pd.DataFrame({"kind": ["identical"] * 3 + ["unrelated"] * 3, "rating": identical + unrelated})
    assert (why_not(rows, 6, (1, 7)) == "") == kept


def test_who_presses_keys_at_random_is_excluded_as_often_as_is_said():
    kinds = ["identical"] * 3 + ["unrelated"] * 3
    answers = itertools.product([7, 1], [7, 1], [7, 1], [1, 7], [1, 7], [1, 7])  # each right or wrong
    right = [2 / 7] * 3 + [3 / 7] * 3
    kept = 0.0
    for answer in answers:
        hits = [rating == (7 if kind == "identical" else 1) for kind, rating in zip(kinds, answer, strict=True)]
        chance = np.prod([part if hit else 1 - part for part, hit in zip(right, hits, strict=True)])
        kept += chance * (why_not(pd.DataFrame({"kind": kinds, "rating": answer}), 6, (1, 7)) == "")
    assert kept == pytest.approx(0.023, abs=5e-4)


def test_spearman_is_that_of_scipy_for_each_row():
    rng = np.random.default_rng(1)
    x, y = rng.integers(1, 8, (5, 30)).astype(float), rng.integers(0, 4, 30).astype(float)
    np.testing.assert_allclose(spearman(x, y), [stats.spearmanr(row, y)[0] for row in x])
    assert np.isnan(spearman(np.ones(4), np.arange(4)))
    assert spearman(np.ones(4), np.arange(4), constant=0.0) == 0


def test_the_interval_of_a_rater_holds_the_truth_as_often_as_it_says():
    rng, rho, hits = np.random.default_rng(2), 0.6, 0
    truth = 6 / np.pi * np.arcsin(rho / 2)  # Spearman's rank correlation of two normal variables
    for _ in range(1000):
        x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 25).T
        low, high = spearman_interval(float(spearman(x, y)), 25)
        hits += low <= truth <= high
    assert abs(hits / 1000 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 1000)
    assert spearman_interval(1.0, 25) == (1, 1)
    assert np.isnan(spearman_interval(0.5, 3)).all()


def test_the_interval_of_all_widens_with_the_spread_between_raters():
    rng = np.random.default_rng(3)
    deltas = np.array([0.05, 0.25, 0.5])

    def width(slopes):
        cube = np.stack([-slope * deltas + 0.02 * rng.standard_normal((6, 3)) for slope in slopes])
        row = pooled_row(cube, deltas, 200, len(slopes))
        return row["high"] - row["low"]

    assert width([1] * 8) < 0.05
    assert width([1, -1] * 4) > 0.5
