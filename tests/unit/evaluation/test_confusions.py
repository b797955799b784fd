"""Confusions, against counts by hand, scikit-learn and the scores of the same probes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from doppelgangers.evaluation.confusions import measure_confusions, summarize_confusions
from doppelgangers.evaluation.probe import train_linear_probes, train_mlp_probes
from tests.unit.evaluation.test_probe import LINEAR, MLP, PROBE, ROW, LinearProtocol, MlpProtocol


def predictions(folder, rows):
    pd.DataFrame(rows, columns=["seed", "fold", "clip", "truth", "predicted"]).to_csv(folder / "predictions.csv", index=False)
    measure_confusions(folder / "confusions.csv", predictions=folder / "predictions.csv")
    return folder / "confusions.csv"


def test_cells_are_counts(tmp_path):
    rng = np.random.default_rng(0)
    labels = ["NA", "b", "c d"]  # NA is a label
    rows = [[seed, fold, f"{fold}-{i}", *rng.choice(labels, 2)] for seed in (0, 7) for fold in (1, 2) for i in range(40)]
    found = pd.read_csv(predictions(tmp_path, rows), keep_default_na=False)
    assert list(found) == ["seed", "fold", "truth", "predicted", "clips"]
    table = pd.DataFrame(rows, columns=["seed", "fold", "clip", "truth", "predicted"])
    for (seed, fold), part in table.groupby(["seed", "fold"]):
        matrix = confusion_matrix(part.truth, part.predicted, labels=labels)
        cells = found[(found.seed == seed) & (found.fold == fold)].set_index(["truth", "predicted"]).clips
        assert {(a, b): matrix[i, j] for i, a in enumerate(labels) for j, b in enumerate(labels) if matrix[i, j]} == dict(cells)


def test_labels_that_are_numbers_stand_in_their_order(tmp_path):
    found = pd.read_csv(
        predictions(tmp_path, [[0, "test", str(i), label, label] for i, label in enumerate(["108", "21", "9"])])
    )
    assert found.truth.tolist() == [9, 21, 108]
    assert set(found.fold) == {"test"}


@pytest.fixture
def problem(tmp_path):
    """Four classes in three folds, for two seeds of an encoder, that a probe tells apart by halves."""
    rng, keys = np.random.default_rng(0), np.tile(np.arange(35, 39), 30)
    table = pd.DataFrame({"clip": np.arange(120), "fold": np.repeat([1, 2, 3], 40), "key": keys})
    table.to_csv(tmp_path / "clips.csv", index=False)
    features = {}
    for seed in (0, 1):
        features[seed] = tmp_path / f"seed={seed}.npy"
        np.save(features[seed], (rng.standard_normal((120, 8)) + np.eye(4, 8)[keys - 35]).astype(np.float32))
    return {"encoder": "voice-0.25", "task": "percussion", "clips": tmp_path / "clips.csv", "features": features}


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_the_accuracy_of_confusions_is_that_of_the_scores(problem, tmp_path, kind):
    files = tmp_path / "scores.csv", tmp_path / "predictions.csv"
    if kind == "linear":
        train_linear_probes(*files, **problem, row=ROW, probe=LinearProtocol(**LINEAR, **PROBE))
    else:
        train_mlp_probes(*files, **problem, row=dataclasses.replace(ROW, probe="mlp"), probe=MlpProtocol(**MLP, **PROBE))
    measure_confusions(tmp_path / "confusions.csv", predictions=files[1])
    cells = pd.read_csv(tmp_path / "confusions.csv")
    right = cells[cells.truth == cells.predicted].groupby(["seed", "fold"]).clips.sum()
    accuracy = right / cells.groupby(["seed", "fold"]).clips.sum()
    scores = pd.read_csv(files[0]).query("metric == 'accuracy'").set_index(["seed", "fold"]).score
    assert len(scores) == 6
    assert 0.3 < scores.mean() < 0.95  # some are right and some are wrong
    pd.testing.assert_series_equal(accuracy, scores, check_names=False, rtol=1e-12)
    table = pd.read_csv(files[1])
    clips = pd.read_csv(problem["clips"]).set_index("clip")
    assert table.truth.tolist() == clips.key.loc[table["clip"]].tolist()
    assert table.fold.tolist() == clips.fold.loc[table["clip"]].tolist()


def test_several_labels_a_clip_have_no_predictions(problem, tmp_path):
    table = pd.read_csv(problem["clips"])
    table.assign(key=[f"{key};high" if key > 36 else key for key in table.key]).to_csv(problem["clips"], index=False)
    row = dataclasses.replace(ROW, metrics=("mAP",), multilabel=True)
    train_linear_probes(
        tmp_path / "scores.csv", tmp_path / "p.csv", **problem, row=row, probe=LinearProtocol(**LINEAR, **PROBE)
    )
    assert (tmp_path / "p.csv").read_text() == "seed,fold,clip,truth,predicted\n"


def test_recalls_and_the_pairs_that_are_confused_most(tmp_path):
    """By hand. Of 4 clips a and 2 clips b: seed 0 has 3 a right, one taken for b, and no b; seed 1 has 1 a right and all b."""
    told = {0: ["a", "a", "a", "b", "a", "c"], 1: ["a", "b", "b", "c", "b", "b"]}
    rows = [[seed, 1 + i % 2, str(i), "aaaabb"[i], told[seed][i]] for seed in (0, 1) for i in range(6)]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    trained = predictions(tmp_path / "one", rows)
    untrained = predictions(tmp_path / "two", [[0, 1, str(i), "aaaabb"[i], "b"] for i in range(6)])
    files = tmp_path / "recalls.csv", tmp_path / "pairs.csv"
    summarize_confusions(*files, confusions={("t", "ours"): trained, ("t", "random_init"): untrained, ("u", "ours"): trained})
    recalls = pd.read_csv(files[0]).set_index(["task", "encoder", "label"])
    assert recalls.loc[("t", "ours", "a")].tolist() == [4, 0.5, round(np.std([0.75, 0.25], ddof=1), 4), 0.5]
    assert recalls.loc[("t", "ours", "b")].tolist() == [2, 0.5, round(np.sqrt(0.5), 4), -0.5]
    assert recalls.loc[("t", "random_init", "b"), "recall"] == 1
    assert recalls.loc[("t", "random_init"), ["recall_std", "gain"]].isna().all(axis=None)
    assert recalls.loc[("u", "ours"), "gain"].isna().all()  # it has no random initialisation
    pairs = pd.read_csv(files[1]).query("task == 't' and encoder == 'ours'")
    assert pairs[["truth", "predicted", "clips", "share"]].to_numpy().tolist() == [
        ["a", "b", 1.5, 0.375],
        ["b", "a", 0.5, 0.25],
        ["b", "c", 0.5, 0.25],
        ["a", "c", 0.5, 0.125],
    ]
