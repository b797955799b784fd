import numpy as np
import pandas as pd
import pytest
import torch

from doppelgangers.checkpoint import load_encoder
from doppelgangers.errors import UserError
from doppelgangers.features import extract_features
from doppelgangers.initialize import initialize
from doppelgangers.probe import split_folds, train_probes

SETTINGS = dict(epochs=30, batch_clips=16, learning_rate=0.01, weight_decay=0.01, warmup=0.1, standardize=True, seed=42)


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


def test_next_fold_validates_on_the_fold_after_the_test_fold():
    folds = np.array([1, 1, 2, 2, 3, 3, 5, 5])
    runs = split_folds(folds, "next_fold", seed=0)
    assert list(runs) == [1, 2, 3, 5]
    assert runs[2].test.tolist() == [2, 3]
    assert runs[2].valid.tolist() == [4, 5]
    assert runs[5].valid.tolist() == [0, 1]  # cyclic
    assert runs[5].train.tolist() == [2, 3, 4, 5]


def test_random_validation_has_archs_sizes_and_never_the_test_fold():
    folds = np.repeat(np.arange(1, 6), 400)
    for fold, run in split_folds(folds, "random", seed=42).items():
        assert (len(run.train), len(run.valid), len(run.test)) == (1280, 320, 400)
        assert set(folds[run.test]) == {fold}
        assert sorted(np.concatenate([run.train, run.valid, run.test])) == list(range(2000))


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


def run(folder, **changes):
    features = {seed: folder / f"seed={seed}.npy" for seed in (0, 1)}
    settings = {"encoder": "voice-0.25", "task": "percussion", "clips": folder / "clips.csv", "features": features}
    train_probes(folder / "scores.csv", **{**settings, **SETTINGS, **changes})
    return pd.read_csv(folder / "scores.csv")


def test_every_fold_and_seed_is_scored(clips):
    scores = run(clips)
    assert len(scores) == 2 * 3 * 3
    assert set(zip(scores.seed, scores.fold, strict=True)) == {(seed, fold) for seed in (0, 1) for fold in (1, 2, 3)}
    assert set(scores.metric) == {"accuracy", "macro_f1", "mAP"}
    assert scores.score.between(0.5, 1).all()  # chance is 0.25


def test_shuffled_labels_score_at_chance(clips):
    table = pd.read_csv(clips / "clips.csv")
    table["key"] = np.random.default_rng(0).permutation(table.key)
    table.to_csv(clips / "clips.csv", index=False)
    assert run(clips).query("metric == 'accuracy'").score.mean() < 0.4


def test_too_few_folds_are_named(clips):
    table = pd.read_csv(clips / "clips.csv")
    table.assign(fold=table.fold.clip(upper=2)).to_csv(clips / "clips.csv", index=False)
    with pytest.raises(UserError, match=r"task percussion: .*clips.csv has 4 classes in 2 folds"):
        run(clips)
