"""Similarity of the views of pairs against scikit-learn and closed forms."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics.pairwise import paired_cosine_distances

from doppelgangers.analysis.similarity import cosine, measure_similarity
from doppelgangers.errors import UserError
from tests.unit.analysis.made_tags import write_tags


def measure(folder, embedding, name="voice-0.25", kind="synthetic"):
    path = folder / "tags.npz"
    sounds = write_tags(path, folder / name, name, kind, [np.zeros((len(embedding), 2))], embedding=embedding)
    measure_similarity(folder / "similarity.csv", tags={"mn04": [path]}, sounds=[sounds], resamples=200)
    return pd.read_csv(folder / "similarity.csv").iloc[0]


def test_means_are_scikit_learns(tmp_path):
    embedding = np.random.default_rng(0).normal(1, 1, (60, 8)).astype(np.float32).astype(float)
    row = measure(tmp_path, embedding)
    assert row[["tagger", "architecture", "delta", "pairs"]].tolist() == ["mn04", "voice", 0.25, 30]
    for column, points in (("cosine", embedding), ("centred", embedding - embedding.mean(axis=0))):
        expected = 1 - paired_cosine_distances(points[::2], points[1::2])
        assert row[column] == pytest.approx(expected.mean(), abs=1e-5)
        # Of the mean of 30 values, within the quarter that 200 resamples are off.
        width = (row[f"{column}_high"] - row[f"{column}_low"]) / (2 * 1.96 * expected.std() / np.sqrt(30))
        assert 0.75 < width < 1.25


def test_a_common_offset_is_similar_only_until_it_is_taken_away(tmp_path):
    embedding = 100 + np.random.default_rng(0).normal(0, 1, (400, 16))
    row = measure(tmp_path, embedding)
    assert row["cosine"] > 0.999
    assert abs(row["centred"]) < 0.1  # unrelated: 0, with a deviation of 1 / sqrt(16 * 200) = 0.02


def test_equal_views_are_wholly_similar(tmp_path):
    embedding = np.repeat(np.random.default_rng(0).normal(0, 1, (10, 4)), 2, axis=0)
    row = measure(tmp_path, embedding)
    assert row[["cosine", "centred", "centred_low", "centred_high"]].tolist() == pytest.approx([1] * 4)


def test_an_embedding_of_zeros_is_similar_to_nothing():
    assert cosine(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [0]


def test_sounds_that_are_not_pairs_are_named(tmp_path):
    with pytest.raises(UserError, match="the sounds are not pairs of a view a and a view b"):
        measure(tmp_path, np.ones((6, 3)), "drums", "dataset")
