"""What is written of a set of sounds, by taggers that tests bring along and by the installed one."""

import numpy as np
import pytest

from doppelgangers.analysis.taggers import load
from doppelgangers.analysis.taggers.load import load_tagger
from doppelgangers.analysis.tags import read_tags, tag_sounds
from doppelgangers.errors import UserError
from tests.unit.analysis.made_sets import write_set


def sounds(count):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, 8000)) * np.exp(-np.linspace(0, 5, 8000))


def test_every_sound_has_the_tags_that_it_has_alone(tmp_path):
    table = write_set(tmp_path / "drums", "drums", "dataset", sounds(9))  # more than a batch
    tag_sounds(tmp_path / "tags.npz", sounds=tmp_path / "drums/sounds.npy", tagger="aisfx")
    tags = read_tags(tmp_path / "tags.npz", table)
    assert (tags.name, tags.kind, tags.outputs) == ("drums", "dataset", "softmax")
    assert [head.shape for head in tags.logits] == [(9, count) for count in (78, 79, 69, 81)]
    pcm = np.load(tmp_path / "drums/sounds.npy")
    for row in (0, 8):
        logits, embedding = load_tagger("aisfx").tag(pcm[row : row + 1].astype(np.float32) / 32767)
        np.testing.assert_allclose(tags.embedding[row], embedding[0], atol=1e-3)
        for head, alone in zip(tags.logits, logits, strict=True):
            np.testing.assert_allclose(head[row], alone[0], atol=1e-2)


def test_the_same_sounds_give_the_same_file(tmp_path):
    write_set(tmp_path / "set", "voice-0.05", "synthetic", sounds(4))
    for name in ("first.npz", "second.npz"):
        tag_sounds(tmp_path / name, sounds=tmp_path / "set/sounds.npy", tagger="aisfx")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_tags_that_are_not_finite_are_refused(tmp_path, monkeypatch):
    tagger = load_tagger("aisfx")
    tagger.fc[0][0].bias.data[0] = np.nan
    monkeypatch.setattr("doppelgangers.analysis.tags.load_tagger", lambda *_: tagger)
    write_set(tmp_path / "set", "noise", "noise", sounds(2))
    with pytest.raises(UserError, match="the tagger aisfx gives numbers that are not finite"):
        tag_sounds(tmp_path / "tags.npz", sounds=tmp_path / "set/sounds.npy", tagger="aisfx")
    assert not (tmp_path / "tags.npz").exists()


def test_a_tagger_is_given_its_weights(monkeypatch):
    asked = []
    monkeypatch.setattr("doppelgangers.analysis.taggers.ast.load", asked.append)
    load.load_tagger("ast", "a/model")
    assert asked == ["a/model"]
