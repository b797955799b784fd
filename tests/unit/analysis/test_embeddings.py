"""Embeddings of sets, and the table of distances."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from doppelgangers.analysis.embeddings import COLUMNS, embed_sounds, measure_distances
from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import load_encoder, save_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.errors import UserError
from tests.unit.analysis.made_sets import write_set

KINDS = {"voice-0.05": "synthetic", "esc50": "dataset", "noise": "noise"}


@pytest.fixture
def encoder(tmp_path):
    card = Card(
        encoder="random_init", source="random_init", architecture="", delta=None, augmentation="none", seed=0, width=0.0625
    )
    save_encoder(tmp_path / "encoder.safetensors", Encoder(width=0.0625), card)
    return tmp_path / "encoder.safetensors"


def test_a_sound_has_the_mean_embedding_of_its_patches(tmp_path, encoder):
    sounds = np.random.default_rng(0).uniform(-1, 1, (150, 32_000))  # two patches; more than a batch
    write_set(tmp_path / "set", "noise", "noise", sounds)
    embed_sounds(tmp_path / "embeddings.npy", sounds=tmp_path / "set/sounds.npy", encoder=encoder)
    found = np.load(tmp_path / "embeddings.npy")
    assert found.shape == (150, 512)
    assert found.dtype == np.float32
    pcm = np.load(tmp_path / "set/sounds.npy")
    with torch.inference_mode():
        patches = LogMel()(torch.from_numpy(pcm[149] / np.float32(32767)))
        expected = load_encoder(encoder)(patches).mean(dim=0)
    np.testing.assert_allclose(found[149], expected, rtol=1e-3, atol=1e-4)


def made(tmp_path, points):
    """Sets with these points as embeddings: sounds.csv of each, and files as an encoder and as a tagger write them."""
    sounds, plain, tagged = [], [], []
    for name, rows in points.items():
        sounds.append(write_set(tmp_path / name, name, KINDS[name], np.zeros((len(rows), 8))))
        plain.append(tmp_path / f"{name}.npy")
        tagged.append(tmp_path / f"{name}.npz")
        np.save(plain[-1], rows)
        np.savez(tagged[-1], embedding=rows, logits_0=np.zeros((len(rows), 3), np.float32), outputs="softmax")
    return sounds, plain, tagged


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    pairs = rng.normal(size=(200, 8))
    pairs[1::2] = 1e3
    return {"voice-0.05": pairs, "esc50": rng.normal(size=(100, 8)), "noise": rng.normal(3, 1, size=(100, 8))}


def test_every_set_is_held_against_every_dataset_in_every_embedding(tmp_path, points):
    sounds, plain, tagged = made(tmp_path, points)
    measure_distances(tmp_path / "distances.csv", embeddings={"aisfx": tagged, "random_init": plain}, sounds=sounds)
    table = pd.read_csv(tmp_path / "distances.csv")
    assert list(table) == COLUMNS
    assert table.embedding.tolist() == ["aisfx"] * 3 + ["random_init"] * 3
    assert table.sounds.tolist() == list(KINDS) * 2
    assert table[table.columns[1:]].iloc[:3].equals(table[table.columns[1:]].iloc[3:].reset_index(drop=True))
    assert (table[["count", "count_against"]] == 50).all(axis=None)
    assert (table.dimension == 8).all()
    rows = table.iloc[:3].set_index("sounds")
    for same in ("voice-0.05", "esc50"):
        assert rows.kad[same] == pytest.approx(0, abs=1.5)
        assert rows.fad[same] < 4
        assert rows.coverage[same] > 0.85
        assert abs(rows.fad_inf[same]) < 1.5
    assert rows.fad["noise"] == pytest.approx(8 * 9, rel=0.15)
    assert rows.fad_inf["noise"] == pytest.approx(8 * 9, rel=0.15)
    assert rows.coverage["noise"] < 0.1
    for name in ("fad", "kad", "coverage", "coverage_back"):
        assert ((table[f"{name}_low"] <= table[name]) & (table[name] <= table[f"{name}_high"])).all()


def test_with_few_sounds_there_is_no_distance_at_infinity(tmp_path, points):
    points["esc50"] = points["esc50"][:46]
    sounds, plain, _ = made(tmp_path, points)
    measure_distances(tmp_path / "distances.csv", embeddings={"random_init": plain}, sounds=sounds)
    table = pd.read_csv(tmp_path / "distances.csv")
    assert table.fad_inf.isna().all()
    assert table.fad.notna().all()


@pytest.mark.parametrize("spoil", [lambda rows: rows[:-1], lambda rows: np.where(np.arange(8) == 3, math.nan, rows)])
def test_embeddings_of_other_sounds_and_broken_ones_are_refused(tmp_path, points, spoil):
    sounds, plain, _ = made(tmp_path, points)
    np.save(plain[1], spoil(points["esc50"]))
    with pytest.raises(UserError, match=r"esc50\.npy does not have a finite embedding for each"):
        measure_distances(tmp_path / "distances.csv", embeddings={"random_init": plain}, sounds=sounds)
