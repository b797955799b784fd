"""Encoders of others, and tasks for their tools."""

import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from doppelgangers.datasets.catalogue import Dataset, Task
from doppelgangers.datasets.labels import read_clips
from doppelgangers.datasets.prepare import prepare
from doppelgangers.encoders.card import read_card
from doppelgangers.encoders.initialize import initialize
from doppelgangers.errors import UserError
from doppelgangers.evaluation.export import write_hear_task
from doppelgangers.evaluation.features import extract_features
from doppelgangers.evaluation.peers import extract_peer_features, load_peer, register_peer
from doppelgangers.evaluation.probe import read_labels
from doppelgangers.files import read_json

ROW = Dataset(module="folder", licence="ours", clip_s=1.0)
PEER = """
import pathlib

import torch

class Model(torch.nn.Module):
    sample_rate = 22050
    scene_embedding_size = 3
    timestamp_embedding_size = 3

def load_model(model_file_path=""):
    model = Model()
    model.scale = float(pathlib.Path(model_file_path).read_text()) if model_file_path else 1.0
    return model

def get_scene_embeddings(audio, model):
    return model.scale * torch.stack([audio.mean(1), audio.std(1), torch.full(audio.shape[:1], audio.shape[1])], dim=1)
"""


@pytest.fixture
def sounds(tmp_path):
    """A folder of six sounds of 1 s at 16 kHz and its table."""
    folder = tmp_path / "mine"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(6):
        soundfile.write(folder / f"{number}.wav", 0.1 * rng.standard_normal(16000), 16000, subtype="FLOAT")
        rows.append({"path": f"{number}.wav", "fold": number % 3 + 1, "bird": "owl" if number < 3 else "jay"})
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    out = tmp_path / "out"
    prepare(
        *(out / name for name in ("clips.csv", "logmel.npy", "dataset.json")),
        dataset="birds",
        row=ROW,
        files=[folder],
        checksum="",
        limit_clips=0,
        tolerate_clips=0,
    )
    return tmp_path


@pytest.fixture
def peer(tmp_path, monkeypatch):
    (tmp_path / "hear_peer.py").write_text(PEER)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("hear_peer", None)


def write_peer(folder, old, new):
    assert PEER.count(old) == 1
    (folder / "hear_peer.py").write_text(PEER.replace(old, new))


def embed(folder, module, model=""):
    extract_peer_features(
        folder / "features.npy",
        clips=folder / "out/clips.csv",
        dataset="birds",
        row=ROW,
        files=[folder / "mine"],
        checksum="",
        module=module,
        model=model,
        threads=2,
    )
    return np.load(folder / "features.npy")


def test_a_peer_gets_every_clip_at_its_own_rate(sounds, peer):
    (peer / "weights.txt").write_text("2.0")
    found = embed(sounds, "hear_peer", str(peer / "weights.txt"))
    clips = pd.read_csv(sounds / "out/clips.csv")["clip"]
    for clip, features in zip(clips, found, strict=True):
        sound = soxr.resample(soundfile.read(sounds / "mine" / clip, dtype="float32")[0], 16000, 22050)
        np.testing.assert_allclose(features, [2 * sound.mean(), 2 * sound.std(ddof=1), 2 * 22050], rtol=1e-3, atol=1e-6)


def test_our_own_encoder_as_a_peer_has_the_features_of_the_pipeline(sounds):
    initialize(sounds / "encoder.safetensors", seed=0, width=0.0625)
    extract_features(sounds / "ours.npy", encoder=sounds / "encoder.safetensors", logmel=sounds / "out/logmel.npy")
    found = embed(sounds, "doppelgangers.hear", str(sounds / "encoder.safetensors"))
    np.testing.assert_allclose(found, np.load(sounds / "ours.npy"), atol=2e-2)  # log-mel patches are kept in 16 bits


def test_the_card_says_what_the_peer_is(peer):
    register_peer(peer / "encoder.json", name="other", module="hear_peer", model="")
    card = read_card(peer / "encoder.json")
    assert (card.encoder, card.source, card.seed, card.pairs, card.augmentation) == ("other", "peer", 0, None, "")
    assert card.about == {
        "module": "hear_peer",
        "model": "",
        "version": "",
        "file": str(peer / "hear_peer.py"),
        "sample_rate_hz": 22050,
        "embedding_size": 3,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("def load_model", "def load"), "module hear_peer has no load_model: it has not the HEAR API"),
        (("sample_rate = 22050", "sample_rate = 8000"), "hear_peer wants 8000 Hz"),
        (("(torch.nn.Module)", ""), "the model of hear_peer is a Model; only torch modules can be used"),
        (("scene_embedding_size = 3", "size = 3"), "has no integer scene_embedding_size"),
    ],
)
def test_what_is_not_of_the_hear_api_is_refused(peer, change, message):
    write_peer(peer, *change)
    with pytest.raises(UserError, match=message):
        load_peer("hear_peer", "")


def test_a_module_or_model_that_is_not_there_is_named(peer):
    with pytest.raises(UserError, match=r"module no_such_module cannot be imported.*PYTHONPATH"):
        load_peer("no_such_module", "")
    with pytest.raises(UserError, match=r"/no/weights, the model of hear_peer, does not exist"):
        load_peer("hear_peer", "/no/weights")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("dim=1)", "dim=1)[:, :2]"), r"gave embeddings of shape \(6, 2\), not \(6, 3\)"),
        (("audio.mean(1)", "audio.mean(1) / 0"), "gave embeddings that are not finite"),
    ],
)
def test_embeddings_are_checked(sounds, peer, change, message):
    write_peer(peer, *change)
    with pytest.raises(UserError, match=message):
        embed(sounds, "hear_peer")
    assert not (sounds / "features.npy").exists()


# --- tasks in HEAR's format


def write(folder, **changes):
    task = Task(**{"dataset": "birds", "label": "bird", **changes})
    written = folder / "tasks/birds-doppelgangers-full"
    write_hear_task(
        written, name="birds", task=task, row=ROW, clips=folder / "out/clips.csv", files=[folder / "mine"], checksum=""
    )
    return written


def test_a_task_is_written_in_hears_format(sounds):
    task = write(sounds)
    assert sorted(path.name for path in task.iterdir()) == [
        "16000",
        "fold00.json",
        "fold01.json",
        "fold02.json",
        "labelvocabulary.csv",
        "task_metadata.json",
    ]
    assert read_json(task / "fold01.json") == {"1.wav": ["owl"], "4.wav": ["jay"]}
    about = read_json(task / "task_metadata.json")
    assert (about["prediction_type"], about["evaluation"], about["nfolds"]) == ("multiclass", ["top1_acc", "mAP"], 3)
    samples, rate = soundfile.read(task / "16000/fold01/4.wav")
    assert (len(samples), rate) == (16000, 16000)


def test_what_was_written_is_a_dataset_again(sounds):
    task = write(sounds)
    paths = [sounds / "again" / name for name in ("clips.csv", "logmel.npy", "dataset.json")]
    row = Dataset(module="hear", licence="ours", clip_s=1.0)
    prepare(*paths, dataset="birds", row=row, files=[task], checksum="", limit_clips=0, tolerate_clips=0)
    again, first = pd.read_csv(paths[0]), pd.read_csv(sounds / "out/clips.csv")
    assert again.groupby(["fold", "label"]).size().to_dict() == first.groupby(["fold", "bird"]).size().to_dict()
    assert np.load(paths[1]).shape == (6, 1, 96, 64)


def test_what_is_exported_is_what_was_probed(sounds):
    """The prepared table counts, with its labels as text; not what the user's table says by now."""
    (sounds / "out/clips.csv").write_text(
        "clip,fold,bird\n0.wav,1,1\n1.wav,2,01\n2.wav,3,1.0\n3.wav,1,\n4.wav,2, 1 \n5.wav,3,01\n"
    )
    (sounds / "mine/clips.csv").write_text("path,fold,bird\n" + "".join(f"{i}.wav,{i % 3 + 1},x\n" for i in range(6)))
    task = write(sounds)
    assert read_json(task / "fold00.json") == {"0.wav": ["1"]}
    assert read_json(task / "fold01.json") == {"1.wav": ["01"], "4.wav": ["1"]}
    assert read_json(task / "fold02.json") == {"2.wav": ["1.0"], "5.wav": ["01"]}
    table = read_clips(sounds / "out/clips.csv")
    used, targets, names = read_labels(table, Task("birds", "bird"), "here")
    assert used.tolist() == [0, 1, 2, 4, 5]
    assert [names[target] for target in targets] == ["1", "01", "1.0", "1", "01"]
    assert (task / "labelvocabulary.csv").read_text().split() == ["idx,label", *(f"{i},{name}" for i, name in enumerate(names))]
    (sounds / "mine/clips.csv").write_text("path,fold,bird\n0.wav,1,x\n1.wav,2,x\n2.wav,3,x\n4.wav,1,x\n")
    with pytest.raises(UserError, match=r"1 of 5 prepared clips are missing, the first is 5.wav"):
        write(sounds)


def test_several_labels_are_exported_as_they_are_probed(sounds):
    rows = "".join(f"{i}.wav,{i % 3 + 1},{label}\n" for i, label in enumerate(["b; a", "a;;a", "b", "; ", "b ;a", "a"]))
    (sounds / "out/clips.csv").write_text("clip,fold,bird\n" + rows)
    task = write(sounds, multilabel=True, metrics=("mAP",))
    assert read_json(task / "fold00.json") == {"0.wav": ["a", "b"]}
    assert read_json(task / "fold01.json") == {"1.wav": ["a"], "4.wav": ["a", "b"]}


def test_a_sound_louder_than_full_scale_is_exported_as_it_is(sounds):
    loud = 3 * np.sin(np.arange(16000) / 10)
    soundfile.write(sounds / "mine/4.wav", loud, 16000, subtype="FLOAT")
    samples, _ = soundfile.read(write(sounds) / "16000/fold01/4.wav")
    np.testing.assert_allclose(samples, loud, atol=1e-6)


def test_a_damaged_clip_leaves_no_task(sounds):
    (sounds / "mine/3.wav").write_bytes((sounds / "mine/3.wav").read_bytes()[:-1000])
    with pytest.raises(UserError, match=r"birds: 1 of 6 clips are damaged:\n  3.wav is truncated"):
        write(sounds)
    assert not list((sounds / "tasks").rglob("*.json"))
