"""The choice of pairs: by hand on made-up values, and on a store whose sounds aisfx tags."""

import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.selection import choose, select_pairs, tag_candidates
from doppelgangers.analysis.taggers.load import load_tagger
from doppelgangers.errors import UserError
from doppelgangers.files import write_json
from doppelgangers.synthesis.store import Shard, to_pcm

ALL = np.arange(8)
VALUES = np.array([0.5, 0.1, 0.9, 0.3, 0.3, 0.7, 0.2, 0.6])


def chosen(keep, share=0.25, values=VALUES, candidates=ALL, name="name"):
    return choose(values, candidates, keep=keep, share=share, name=name).tolist()


def test_the_surest_and_the_least_sure_are_kept():
    assert chosen("certain") == [1, 6]
    assert chosen("uncertain") == [2, 5]
    assert chosen("certain", share=0.5) == [1, 3, 4, 6]
    assert chosen("certain", share=0.375) == [1, 3, 6]  # of the equal ones the first


def test_together_they_are_all_where_each_is_half():
    assert sorted(chosen("certain", share=0.5) + chosen("uncertain", share=0.5)) == ALL.tolist()


def test_a_random_share_is_as_large_and_does_not_look_at_values():
    values = np.random.default_rng(0).random(4000)
    kept = {name: chosen("random", values=values, candidates=np.arange(4000), name=name) for name in ("one", "other")}
    assert all(len(set(numbers)) == 1000 for numbers in kept.values())
    assert kept["one"] == chosen("random", values=-values, candidates=np.arange(4000), name="one")
    # The mean of 1,000 of 4,000 uniform values has a standard error of 0.29 / sqrt(1000) * sqrt(3/4) = 0.008.
    assert all(abs(values[numbers].mean() - values.mean()) < 0.03 for numbers in kept.values())
    assert 200 < len(set(kept["one"]) & set(kept["other"])) < 300  # 250 if they are drawn independently


@pytest.mark.parametrize("keep", ["certain", "uncertain", "random"])
def test_what_is_no_candidate_is_never_kept(keep):
    values = np.where(ALL == 3, 0.0, np.where(ALL == 4, 1.0, 0.5))
    assert chosen(keep, share=0.5, values=values, candidates=np.array([0, 1, 2, 5, 6, 7])).__len__() == 3
    assert not {3, 4} & set(chosen(keep, share=0.99, values=values, candidates=np.array([0, 1, 2, 5, 6, 7])))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Eleven pairs in two shards: clicks, tones and noise; pair 4 has a silent second view, and pair 7 is pair 2, but softer."""
    folder, rng = tmp_path_factory.mktemp("store"), np.random.default_rng(0)
    time = np.arange(16000) / 16000
    first = np.stack([np.sin(2 * np.pi * 110 * 2 ** (i / 3) * time) * np.exp(-i * time) for i in range(11)])
    first[9:] = rng.uniform(-1, 1, (2, 16000))
    first[7] = first[2] / 4
    sounds = np.stack([first, first[::-1]], axis=1)
    sounds[4, 1] = 0
    for number, start in enumerate((0, 6)):
        np.save(folder / f"shard-{number:05d}.npy", to_pcm(sounds[start : start + 6]))
    shards = [Shard("shard-00000.npy", 6, ""), Shard("shard-00001.npy", 5, "")]
    write_json(
        folder / "manifest.json", {"samples": 16000, "count": 11, "shard_pairs": 6, "shards": [vars(shard) for shard in shards]}
    )
    tag_candidates(folder / "tags.npz", store=folder / "manifest.json", tagger="aisfx")
    return folder, sounds


def test_the_first_view_is_tagged_at_one_level(store):
    folder, sounds = store
    with np.load(folder / "tags.npz") as tags:
        heads = [tags[f"logits_{head}"] for head in range(9)]
        assert str(tags["outputs"]) == "softmax"
        assert np.flatnonzero(tags["silent"]).tolist() == [4]
    alone = load_tagger("aisfx").tag((sounds[5:6, 0] / np.abs(sounds[5, 0]).max()).astype(np.float32))[0]
    for head, expected in zip(heads, alone, strict=True):
        assert len(head) == 11
        np.testing.assert_allclose(head[5], expected[0], atol=0.02)  # 16 bits
        np.testing.assert_allclose(head[7], head[2], atol=0.1)  # two bits fewer


def test_pairs_are_selected_by_their_entropy(store, tmp_path):
    """Entropy of a softmax over log C, the mean over the heads, as written here once more."""
    folder, _ = store
    with np.load(folder / "tags.npz") as tags:
        heads = [tags[f"logits_{head}"].astype(float) for head in range(9)]
    p = [np.exp(head) / np.exp(head).sum(axis=1, keepdims=True) for head in heads]
    entropy = np.mean([-(q * np.log(q)).sum(axis=1) / np.log(q.shape[1]) for q in p], axis=0)
    order = [number for number in np.argsort(entropy).tolist() if number != 4]  # the silent one
    for keep, expected in {"certain": order[:3], "uncertain": order[-3:]}.items():
        file = tmp_path / f"{keep}.csv"
        select_pairs(file, tags=folder / "tags.npz", name=keep, definition="entropy", keep=keep, share=0.3)
        found = pd.read_csv(file)
        assert list(found) == ["pair", "value"]
        assert found.pair.tolist() == sorted(expected)
        np.testing.assert_allclose(found.value, entropy[found.pair], atol=1e-6)


def test_tags_that_are_not_finite_are_refused(store, tmp_path, monkeypatch):
    class Broken:
        batch_sounds, outputs = 4, "softmax"

        def to(self, _device):
            return self

        def tag(self, sounds):
            return [np.full((len(sounds), 3), np.nan)], np.zeros((len(sounds), 2))

    monkeypatch.setattr("doppelgangers.analysis.selection.load_tagger", lambda name, weights: Broken())
    with pytest.raises(UserError, match=r"aisfx gives numbers that are not finite for .*manifest.json"):
        tag_candidates(tmp_path / "tags.npz", store=store[0] / "manifest.json", tagger="aisfx")
    assert not (tmp_path / "tags.npz").exists()
