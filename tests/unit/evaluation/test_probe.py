import dataclasses
import random

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split

from doppelgangers.datasets.catalogue import Task
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.initialize import initialize
from doppelgangers.errors import UserError
from doppelgangers.evaluation import probe
from doppelgangers.evaluation.features import extract_features
from doppelgangers.evaluation.linear import LinearProtocol
from doppelgangers.evaluation.mlp import MlpProtocol
from doppelgangers.evaluation.probe import read_labels, split_folds, train_linear_probes, train_mlp_probes
from doppelgangers.evaluation.runs import Fit
from doppelgangers.evaluation.settings import MlpSettings, ProbeSettings
from doppelgangers.workflow.digest import reach

MLP = dict(
    hidden=[1, 2],
    width=16,
    learning_rates=[1e-2, 3e-3],
    inits=["xavier_uniform"],
    tried=2,
    batch_clips=64,
    max_epochs=30,
    check_every_epochs=3,
    patience_checks=5,
    dropout=0.1,
)
LINEAR = dict(epochs=30, batch_clips=16, learning_rate=0.01, weight_decay=0.01, warmup=0.1)
PROBE = dict(standardize=True, seed=42, protocol="corrected")
ROW = Task(dataset="drums", label="key")


def test_features_are_means_over_patches(tmp_path):
    initialize(tmp_path / "encoder.safetensors", seed=0, width=0.0625)
    patches = np.random.default_rng(0).standard_normal((70, 3, 96, 64)).astype(np.float16)
    np.save(tmp_path / "logmel.npy", patches)
    extract_features(tmp_path / "features.npy", encoder=tmp_path / "encoder.safetensors", logmel=tmp_path / "logmel.npy")
    encoder = load_encoder(tmp_path / "encoder.safetensors")
    with torch.no_grad():
        expected = np.stack([encoder(torch.tensor(patches[i]).float()).mean(dim=0) for i in (0, 69)])
    found = np.load(tmp_path / "features.npy")
    assert found.shape == (70, 512)
    np.testing.assert_allclose(found[[0, 69]], expected, atol=1e-5)


def test_a_masked_mean_weighs_patches_by_their_share_of_the_clip(tmp_path):
    """A clip of no length, of less than a patch, of exactly one, of one and a half, and of more than its patches hold."""
    initialize(tmp_path / "encoder.safetensors", seed=0, width=0.0625)
    lengths = [0.0, 0.2, 0.96, 1.44, 3.0]
    shares = [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0.5, 0], [1, 1, 1]]
    patches = np.random.default_rng(0).standard_normal((5, 3, 96, 64)).astype(np.float16)
    np.save(tmp_path / "logmel.npy", patches)
    pd.DataFrame({"clip": list("abcde"), "unpadded_s": lengths}).to_csv(tmp_path / "clips.csv", index=False)
    files = {"encoder": tmp_path / "encoder.safetensors", "logmel": tmp_path / "logmel.npy"}
    extract_features(tmp_path / "masked.npy", **files, clips=tmp_path / "clips.csv")
    extract_features(tmp_path / "mean.npy", **files)
    encoder = load_encoder(tmp_path / "encoder.safetensors")
    with torch.no_grad():
        embeddings = np.stack([encoder(torch.tensor(clip).float()).numpy() for clip in patches])
    expected = [np.average(clip, axis=0, weights=share) for clip, share in zip(embeddings, shares, strict=True)]
    masked, mean = np.load(tmp_path / "masked.npy"), np.load(tmp_path / "mean.npy")
    np.testing.assert_allclose(masked, expected, atol=1e-5)
    assert masked.dtype == np.float32
    assert np.abs(masked - mean).max(axis=1)[:4].min() > 1e-3
    np.testing.assert_allclose(masked[4], mean[4], atol=1e-6)
    pd.DataFrame({"clip": list("abcde")}).to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(UserError, match=r"clips.csv has no column unpadded_s, .*--forcerun prepare, or set features.pooling"):
        extract_features(tmp_path / "masked.npy", **files, clips=tmp_path / "clips.csv")


def test_next_fold_validates_on_the_fold_after_the_test_fold():
    folds = np.array([1, 1, 2, 2, 3, 3, 5, 5])
    runs = split_folds(folds, "next_fold", 0, "task")
    assert list(runs) == [1, 2, 3, 5]
    assert runs[2].test.tolist() == [2, 3]
    assert runs[2].valid.tolist() == [4, 5]
    assert runs[5].valid.tolist() == [0, 1]  # cyclic
    assert runs[5].train.tolist() == [2, 3, 4, 5]


def test_random_validation_has_archs_sizes_and_never_the_test_fold():
    folds = np.repeat(np.arange(1, 6), 400)
    for fold, run in split_folds(folds, "random", 42, "task").items():
        assert (len(run.train), len(run.valid), len(run.test)) == (1280, 320, 400)
        assert set(folds[run.test]) == {fold}
        assert sorted(np.concatenate([run.train, run.valid, run.test])) == list(range(2000))


def as_arch_splits(table, test):
    """Rows that ARCH's us8k.py and esc50.py train and validate on: lists by fold, in the order in which the table has them."""
    rows = {}
    for row, fold in enumerate(table):
        rows.setdefault(fold, []).append(row)
    rest = [row for fold, members in rows.items() if fold != test for row in members]
    return train_test_split(rest, test_size=0.2, random_state=42)


def test_random_validation_is_drawn_in_archs_order():
    """UrbanSound8K's table is sorted by the names of the recordings, so that the folds are mixed; ESC-50's by the folds."""
    mixed = np.random.default_rng(0).permutation(np.repeat(np.arange(1, 11), 30))
    sorted_by_fold = np.repeat(np.arange(1, 6), 40)
    for folds in (mixed, sorted_by_fold):
        for fold, found in split_folds(folds, "random", 42, "task").items():
            assert [found.train.tolist(), found.valid.tolist()] == as_arch_splits(folds.tolist(), fold)
            in_the_tables_order = train_test_split(np.flatnonzero(folds != fold), test_size=0.2, random_state=42)[1]
            assert (found.valid.tolist() == in_the_tables_order.tolist()) == (folds is sorted_by_fold)


@pytest.fixture
def clips(tmp_path):
    rng = np.random.default_rng(0)
    keys = np.tile(np.arange(35, 39), 30)
    table = pd.DataFrame({"clip": np.arange(120), "fold": np.repeat(np.arange(1, 4), 40), "key": keys})
    table.loc[:5, "key"] = np.nan  # clips without the label are not part of the task
    table.to_csv(tmp_path / "clips.csv", index=False)
    for seed in (0, 1):
        np.save(tmp_path / f"seed={seed}.npy", (rng.standard_normal((120, 8)) + 2 * np.eye(4, 8)[keys - 35]).astype(np.float32))
    return tmp_path


def run(folder, kind="linear", row=ROW, protocol="corrected", **mlp):
    features = {seed: folder / f"seed={seed}.npy" for seed in (0, 1)}
    place = {"encoder": "voice-0.25", "task": "percussion", "row": row, "clips": folder / "clips.csv", "features": features}
    shared = {**PROBE, "protocol": protocol}
    if kind == "linear":
        train_linear_probes(
            folder / "scores.csv", folder / "predictions.csv", **place, probe=LinearProtocol(**LINEAR, **shared)
        )
    else:
        train_mlp_probes(
            folder / "scores.csv", folder / "predictions.csv", **place, probe=MlpProtocol(**{**MLP, **mlp}, **shared)
        )
    return pd.read_csv(folder / "scores.csv", keep_default_na=False)


def change(folder, **columns):
    pd.read_csv(folder / "clips.csv").assign(**columns).to_csv(folder / "clips.csv", index=False)


@pytest.mark.parametrize("protocol", ["corrected", "faithful"])
def test_every_fold_and_seed_is_scored(clips, protocol):
    scores = run(clips, protocol=protocol)
    assert list(scores) == ["encoder", "task", "seed", "fold", "metric", "score", "epoch", "setting", "probe"]
    assert set(scores.probe) == {"linear"}
    assert len(scores) == 2 * 3 * 3
    assert set(zip(scores.seed, scores.fold, strict=True)) == {(seed, fold) for seed in (0, 1) for fold in (1, 2, 3)}
    assert set(scores.metric) == {"accuracy", "macro_f1", "mAP"}
    assert scores.score.between(0.4, 1).all()  # chance is 0.25
    assert set(scores.setting) == {""}


def test_an_mlp_is_searched_once_for_each_seed(clips):
    row = dataclasses.replace(ROW, metrics=("pitch_acc", "chroma_acc", "d_prime"), probe="mlp")
    scores = run(clips, kind="mlp", row=row)
    assert len(scores) == 2 * 3 * 3
    assert set(scores.probe) == {"mlp"}
    assert scores.query("metric == 'pitch_acc'").score.mean() > 0.45  # chance is 0.25
    assert scores.setting.str.fullmatch(r"hidden=[12] lr=0\.\d+ init=xavier_uniform").all()
    assert (scores.groupby("seed").setting.nunique() == 1).all()
    assert (scores.epoch % 3 == 0).all()


@pytest.mark.parametrize("protocol", ["corrected", "faithful"])
def test_hears_linear_probe_is_searched_too(clips, protocol):
    scores = run(clips, kind="mlp", row=dataclasses.replace(ROW, probe="hear_linear"), protocol=protocol, max_epochs=300)
    assert len(scores) == 2 * 3 * 3
    assert set(scores.probe) == {"hear_linear"}
    assert scores.query("metric == 'accuracy'").score.mean() > 0.5  # chance is 0.25
    assert scores.setting.str.fullmatch(r"hidden=0 lr=0\.\d+ init=xavier_uniform").all()


@pytest.mark.parametrize("protocol", ["corrected", "faithful"])
def test_a_faithful_mlp_trains_on_the_clips_in_hears_order(clips, monkeypatch, protocol):
    """Fold by fold, each shuffled as HEAR does; other parts of a run, and the corrected protocol, keep the table's order."""
    seen = []
    fits = [Fit(np.zeros((40, 4)), 1)] * 6
    monkeypatch.setattr(probe, "fit_mlp", lambda features, targets, runs, **_: seen.extend(runs) or fits)
    names = [f"{'cab'[i % 3]}-{i % 40:03d}" for i in range(120)]
    change(clips, clip=[f"{name}.wav" for name in names], key=np.tile(np.arange(35, 39), 30), fold=np.arange(120) % 4 + 1)
    fits[:] = [Fit(np.zeros((30, 4)), 1)] * 8
    run(clips, kind="mlp", protocol=protocol)
    folds, generator, files = np.arange(120) % 4 + 1, random.Random(0), {}
    for fold in (1, 2, 3, 4):
        files[fold] = sorted(f"{names[i]}.wav" for i in np.flatnonzero(folds == fold))
        generator.shuffle(files[fold])
    trained = {1: (3, 4), 2: (1, 4), 3: (1, 2), 4: (2, 3)}  # test fold -> the folds that neither test nor validate
    for one, (test, train) in zip(seen, list(trained.items()) * 2, strict=True):
        if protocol == "faithful":
            assert [f"{names[row]}.wav" for row in one.train] == [file for fold in train for file in files[fold]]
        else:
            np.testing.assert_array_equal(one.train, np.flatnonzero(np.isin(folds, train)))
        np.testing.assert_array_equal(one.test, np.flatnonzero(folds == test))
        np.testing.assert_array_equal(one.valid, np.flatnonzero(folds == test % 4 + 1))


def test_a_table_that_is_sorted_by_class_costs_the_faithful_protocol_nothing(tmp_path, monkeypatch):
    """Several batches an epoch, each of which would hold few classes, and batch norm would see only these."""
    rng = np.random.default_rng(0)
    keys = np.tile(np.repeat(np.arange(24), 12), 3)  # sorted within each fold
    table = pd.DataFrame({"clip": [f"{key:02d}-{i:04d}" for i, key in enumerate(keys)], "fold": np.repeat([1, 2, 3], 288)})
    table.assign(key=keys).to_csv(tmp_path / "clips.csv", index=False)
    features = rng.standard_normal((864, 24)) + 4 * np.eye(24)[keys]
    for seed in (0, 1):
        np.save(tmp_path / f"seed={seed}.npy", features.astype(np.float32))

    def accuracy(protocol):
        scores = run(tmp_path, kind="mlp", protocol=protocol, hidden=[1], width=64, batch_clips=24, max_epochs=9)
        return scores.query("metric == 'accuracy'").score.mean()

    faithful, corrected = accuracy("faithful"), accuracy("corrected")
    monkeypatch.setattr(probe, "hear_order", lambda clips, folds: np.arange(len(clips)))
    in_the_tables_order = accuracy("faithful")
    assert faithful > in_the_tables_order + 0.2
    assert faithful > corrected - 0.05


def test_the_protocols_are_what_the_configuration_says():
    """The scripts build them from the section `probe` (without its kinds) and, for MLPs, the section `mlp`."""
    fields = [{field.name for field in dataclasses.fields(protocol)} for protocol in (LinearProtocol, MlpProtocol)]
    assert fields == [
        set(ProbeSettings.model_fields) - {"kind", "also", "confusions"},
        set(PROBE) | set(MlpSettings.model_fields),
    ]


def test_neither_kind_of_probe_runs_the_code_of_the_other():
    linear, mlp = ({module for module, _ in reach(f"evaluation.probe.train_{kind}_probes")} for kind in ("linear", "mlp"))
    kinds = {"evaluation.linear", "evaluation.mlp", *(f"workflow_scripts.train_{kind}_probes" for kind in ("linear", "mlp"))}
    assert linear ^ mlp == kinds


def test_train_valid_and_test_make_one_run(clips):
    change(clips, split=["train"] * 80 + ["valid"] * 15 + ["test"] * 25)
    scores = run(clips, row=dataclasses.replace(ROW, fold="split"))
    assert set(scores.fold) == {"test"}
    assert len(scores) == 2 * 3
    found = split_folds(np.array(["test", "valid", "train", "train"], dtype=object), "next_fold", 0, "task")["test"]
    assert [part.tolist() for part in (found.train, found.valid, found.test)] == [[2, 3], [1], [0]]


def test_several_labels_a_clip(clips):
    keys = np.tile(np.arange(35, 39), 30)
    labels = [f"{key};high" if key > 36 else str(key) for key in keys]
    labels[:3] = ["", "", ""]  # not part of the task
    change(clips, labels=labels)
    row = dataclasses.replace(ROW, label="labels", metrics=("mAP", "weighted_mAP"), multilabel=True)
    table = pd.read_csv(clips / "clips.csv", dtype={"labels": str})
    used, targets, names = read_labels(table, row, "task")
    assert names == ["35", "36", "37", "38", "high"]
    assert used.tolist() == list(range(3, 120))
    assert targets[0].tolist() == [0, 0, 0, 1, 1]
    scores = run(clips, row=row)
    assert scores.score.between(0.6, 1).all()
    assert run(clips, row=row, kind="mlp").score.between(0.6, 1).all()


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_a_class_that_occurs_only_in_test_is_no_obstacle(clips, kind):
    keys = np.tile(np.arange(35, 39), 30)
    keys[119] = 99
    change(clips, key=keys)
    assert len(run(clips, kind=kind)) == 2 * 3 * 3


def test_a_label_that_pandas_takes_for_a_gap_is_a_label(clips):
    table = pd.read_csv(clips / "clips.csv")
    names = table.key.map({35: "NA", 36: "None", 37: "nan", 38: "owl"})
    table.assign(key=names).to_csv(clips / "clips.csv", index=False)
    assert run(clips).score.between(0.5, 1).all()


def test_shuffled_labels_score_at_chance(clips):
    change(clips, key=np.random.default_rng(0).permutation(pd.read_csv(clips / "clips.csv").key))
    assert run(clips).query("metric == 'accuracy'").score.mean() < 0.4


FAULTS = {
    "too few folds": (dict(fold=[1, 2] * 60), {}, r"clips.csv has 2 folds, and a probe needs 3"),
    "one class": (dict(key=35), {}, r"clips.csv has 1 classes in the column key, and a probe needs 2"),
    "no labels": (dict(key=np.nan), {}, r"clips.csv has 0 classes"),
    "no label column": ({}, dict(label="pitch"), r"clips.csv has no column pitch: set the task's label to one of clip, fold"),
    "no fold column": ({}, dict(fold="split"), r"clips.csv has no column split: set the task's fold"),
    "a split is missing": (dict(fold=["train", "test"] * 60), {}, r"clips.csv has the folds test, train: number them"),
    "folds of other names": (dict(fold=["a", "b", "c"] * 40), {}, r"clips.csv has the folds a, b, c: number them"),
    "a clip without a fold": (dict(fold=[1, 2, 3, np.nan] * 30), {}, r"clips.csv has \d+ labelled clips without a fold"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_clips_that_make_no_task_are_named(clips, fault):
    columns, facts, message = FAULTS[fault]
    change(clips, **columns)
    with pytest.raises(UserError, match=f"task percussion: .*{message}"):
        run(clips, row=dataclasses.replace(ROW, **facts))


def test_features_that_do_not_fit_are_named(clips):
    features = np.load(clips / "seed=1.npy")
    features[7, 2] = np.inf
    np.save(clips / "seed=1.npy", features)
    with pytest.raises(UserError, match=r"features of voice-0.25, seed 1, .*seed=1.npy has a number .* in row 7 \(clip 7\)"):
        run(clips)
    np.save(clips / "seed=1.npy", features[:100])
    with pytest.raises(UserError, match=r"features of voice-0.25, seed 1, .* has 100 rows for 120 clips"):
        run(clips)
