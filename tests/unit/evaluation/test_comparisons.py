import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from doppelgangers.evaluation.comparisons import compare_scores, paired_difference


def scores(cells):
    """Cells (folds, seeds) as rows."""
    cells = np.asarray(cells, float)
    return pd.DataFrame([{"fold": str(f), "seed": s, "score": cells[f, s]} for f, s in np.ndindex(cells.shape)])


def draw(rng, mean, folds, seeds, of_folds):
    return scores(mean + of_folds[:, None] + rng.normal(0, 1, (folds, seeds)))


@pytest.mark.parametrize(("folds", "seeds"), [(5, 1), (3, 1), (10, 3), (1, 4)])
def test_an_interval_holds_the_true_difference_as_often_as_it_says(folds, seeds):
    """Folds of unlike difficulty, which both encoders share, and noise of each cell; the truth is 0.5."""
    rng, held = np.random.default_rng(1), 0
    for trial in range(300):
        of_folds = rng.normal(0, 5, folds)
        found = paired_difference(
            draw(rng, 50.5, folds, seeds, of_folds), draw(rng, 50, folds, seeds, of_folds), resamples=400, seed=trial
        )
        held += found.low < 0.5 < found.high
    assert held / 300 >= 0.92


def test_with_many_folds_it_is_students_interval():
    rng = np.random.default_rng(0)
    differences = rng.normal(1, 2, 60)
    found = paired_difference(scores(differences[:, None]), scores(np.zeros((60, 1))), resamples=20_000)
    expected = t.interval(0.95, 59, differences.mean(), differences.std(ddof=1) / np.sqrt(60))
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.05)


def test_folds_are_paired():
    """Both are worse on the second fold: only the difference counts."""
    found = paired_difference(scores([[90.0], [10.0], [50.0]]), scores([[89.0], [9.0], [49.0]]), resamples=100)
    assert (found.mean, found.low, found.high, found.verdict()) == (1.0, 1.0, 1.0, "better")
    assert (found.folds, found.seeds, found.seeds_against) == (3, 1, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(scores([[1.0]]), scores([[0.0]]), id="one fold, one seed"),
        pytest.param(scores([[1.0]]), scores([[0.0, 0.1]]), id="one fold, one seed of the first"),
        pytest.param(scores([[1.0], [2.0]]), scores([[0.0], [0.1]]).assign(fold=["a", "b"]), id="no fold in common"),
        pytest.param(scores([[1.0], [np.nan]]), scores([[0.0], [0.1]]), id="a score that is none"),
    ],
)
def test_too_little_to_tell_is_undecided(first, second):
    found = paired_difference(first, second, resamples=100)
    assert np.isnan([found.low, found.high]).all()
    assert found.verdict() == "undecided"


def test_each_encoder_is_held_against_each_reference(tmp_path):
    """Of the primary metric alone, in percent; a reference that is no row is left out."""
    rows = [
        {
            "encoder": encoder,
            "delta": "",
            "pairs": "",
            "task": task,
            "seed": 0,
            "metric": metric,
            "fold": str(fold),
            "score": score,
        }
        for encoder, base in {"random_init": 0.4, "ours": 0.5, "theirs": 0.45}.items()
        for task in ("a", "b")
        for fold in range(5)
        for metric, score in {"accuracy": base, "macro_f1": 0.0}.items()
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "scores.csv", index=False)
    against = ["random_init", "theirs", "nobody"]
    compare_scores(
        tmp_path / "comparisons.csv",
        scores=tmp_path / "scores.csv",
        metrics=dict.fromkeys("ab", "accuracy"),
        against=against,
        resamples=50,
    )
    found = pd.read_csv(tmp_path / "comparisons.csv")
    assert len(found) == 2 * 4
    ours = found[(found.task == "b") & (found.encoder == "ours")].set_index("against")
    assert ours.loc["random_init", ["difference", "low", "high", "verdict"]].tolist() == [10.0, 10.0, 10.0, "better"]
    assert ours.loc["theirs", "difference"] == 5.0
    assert set(found[found.encoder == "random_init"].verdict) == {"worse"}
