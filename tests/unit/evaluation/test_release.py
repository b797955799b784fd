"""Released encoders: packed by the command, adopted as rows of the table."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from doppelgangers.encoders.adopt import adopt
from doppelgangers.encoders.card import Card, read_card
from doppelgangers.encoders.checkpoint import load_encoder, save_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.errors import UserError
from doppelgangers.evaluation.release import main, summary
from doppelgangers.evaluation.table import COLUMNS
from doppelgangers.files import checksum, read_json

CARD = Card(
    encoder="voice-0.25",
    source="synthetic",
    architecture="voice",
    delta=0.25,
    augmentation="none",
    seed=1,
    pairs=128,
    width=0.0625,
    settings={"width": 0.0625},
    metrics={"align": 0.5, "uniform": -1.5, "loss": -1.0},
)
WEIGHTS, STATISTIC = "layer2.0.conv1.weight", "layer2.0.bn1.running_var"


def trained() -> Encoder:
    """An encoder whose running statistics are not the initial ones."""
    encoder = Encoder(width=0.0625, seed=1)
    torch.manual_seed(0)
    encoder(torch.randn(8, 96, 64))
    return encoder


def record_of_training(folder):
    path = folder / "encoder.safetensors"
    files = {path.name: {"bytes": path.stat().st_size, "sha256": checksum(path)}}
    return {"seconds": 105.8, "commit": "abc", "files": files}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The folder of a run: an encoder with its history and the record of its job, and scores of it and others."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/encoders/voice-0.25/seed=1"
    save_encoder(folder / "encoder.safetensors", trained(), CARD)
    (folder / "history.csv").write_text("step,loss\n8,-1.0\n")
    (folder / "encoder.safetensors.made.json").write_text(json.dumps(record_of_training(folder)))
    rows = [
        dict(zip(COLUMNS, (encoder, source, "", "", "", seed, 128, task, fold, metric, score, "linear"), strict=True))
        for encoder, source, offset in (("voice-0.25", "synthetic", 0.0), ("random_init", "random_init", 0.2))
        for seed in (0, 1)
        for task in ("esc50", "esc50_mlp", "pitch") + (("family",) if encoder == "random_init" else ())
        for fold, step in ((1, 0.0), (2, 0.1))
        for metric, score in (("accuracy", 0.5 + seed / 10 - offset + step), ("d_prime", 1.5 + step))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "results/scores.csv", index=False)
    return tmp_path


def pack(*arguments):
    main(["results/encoders/voice-0.25/seed=1", *arguments])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_encoder_gives_the_same_bytes(study):
    pack()
    pack("--into", "again")
    assert contents(study / "pretrained/voice-0.25") == contents(study / "again/voice-0.25")
    assert set(contents(study / "pretrained/voice-0.25")) == {"encoder.safetensors", "encoder.json", "history.csv"}
    assert [path.name for path in (study / "pretrained").iterdir()] == ["voice-0.25"]


def test_weights_are_halved_and_statistics_are_not(study, capsys):
    pack("--name", "tones.v_1-0")
    packed = safetensors.torch.load_file("pretrained/tones.v_1-0/encoder.safetensors")
    for name, tensor in trained().state_dict().items():
        if tensor.ndim < 2:
            assert packed[name].dtype == tensor.dtype
        else:
            assert packed[name].dtype == torch.float16
            torch.testing.assert_close(packed[name].float(), tensor, rtol=2**-11, atol=2**-24)
    counted = read_json("pretrained/tones.v_1-0/encoder.json")["precision"]
    assert counted["float16"] > 10 * counted["float32"]
    printed = capsys.readouterr().out
    assert "wrote pretrained/tones.v_1-0/encoder.safetensors (" in printed
    change = float(printed.split("changes an embedding by ")[1].split()[0])
    assert 0 < change < 2e-3


def test_the_card_says_what_it_is_scored_and_came_from(study):
    pack()
    card = read_card("pretrained/voice-0.25/encoder.json")
    assert dataclasses.replace(card, about={}) == CARD
    card = card.about
    assert set(card) == {"precision", "scores", "random_init_scores", "provenance"}
    assert set(card["scores"]) == set(card["random_init_scores"]) == {"esc50", "esc50_mlp", "pitch"}
    assert card["scores"]["esc50"]["accuracy"] == {"mean": 65.0, "std": 7.07, "folds": 2}
    # Over both seeds: 30, 40, 40 and 50.
    assert card["random_init_scores"]["pitch"]["accuracy"] == {"mean": 40.0, "std": 8.16, "folds": 4}
    assert card["scores"]["pitch"]["d_prime"] == {"mean": 1.55, "std": 0.07, "folds": 2}  # not in percent
    origin = card["provenance"]
    assert origin["source_sha256"] == checksum("results/encoders/voice-0.25/seed=1/encoder.safetensors")
    assert origin["training"] == record_of_training(study / "results/encoders/voice-0.25/seed=1")
    assert set(origin["packing"]) == {"commit", "python", "versions"}
    assert (study / "pretrained/voice-0.25/history.csv").read_text() == "step,loss\n8,-1.0\n"


def test_what_json_cannot_say_is_none():
    rows = pd.DataFrame(
        {"task": "t", "metric": ["a", "b", "b", "d_prime", "d_prime"], "score": [0.5, 0.5, np.nan, np.inf, 1.0]}
    )
    found = summary(rows)["t"]
    assert found["a"] == found["b"] == {"mean": 50.0, "std": None, "folds": 1}
    assert found["d_prime"] == {"mean": None, "std": None, "folds": 2}


def test_an_encoder_needs_no_scores_history_or_record(study, caplog):
    for name in ("history.csv", "encoder.safetensors.made.json"):
        (study / "results/encoders/voice-0.25/seed=1" / name).unlink()
    pack("--scores", "none.csv", "--name", "a")
    card = read_json("pretrained/a/encoder.json")
    assert card["scores"] == card["random_init_scores"] == {}
    assert card["provenance"]["training"] is None
    assert not (study / "pretrained/a/history.csv").exists()
    assert "there is no none.csv" in caplog.text
    others = pd.read_csv("results/scores.csv").query("encoder == 'random_init'")
    others.to_csv("others.csv", index=False)
    pack("--scores", "others.csv", "--name", "b")
    assert read_json("pretrained/b/encoder.json")["scores"] == {}
    assert "others.csv has no scores of voice-0.25 with seed 1" in caplog.text


def test_a_released_encoder_is_replaced_only_when_told_to(study):
    pack()
    before = contents(study / "pretrained/voice-0.25")
    (study / "results/scores.csv").unlink()
    with pytest.raises(SystemExit, match=r"ERROR: pretrained/voice-0.25 is a released encoder already.*--force"):
        pack()
    assert contents(study / "pretrained/voice-0.25") == before
    pack("--force")
    assert read_json("pretrained/voice-0.25/encoder.json")["scores"] == {}
    assert [path.name for path in (study / "pretrained").iterdir()] == ["voice-0.25"]


def test_an_interruption_leaves_what_was_there(study, monkeypatch):
    pack()
    before = contents(study / "pretrained/voice-0.25")
    monkeypatch.setattr("doppelgangers.evaluation.release.commit", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pack("--force")
    assert contents(study / "pretrained/voice-0.25") == before
    assert [path.name for path in (study / "pretrained").iterdir()] == ["voice-0.25"]


def test_force_deletes_nothing_else(study):
    (study / "pretrained/mine").mkdir(parents=True)
    (study / "pretrained/mine/thesis.tex").touch()
    with pytest.raises(SystemExit, match=r"pretrained/mine exists and is no released encoder \(it holds thesis.tex\)"):
        pack("--name", "mine", "--force")
    assert (study / "pretrained/mine/thesis.tex").exists()


@pytest.mark.parametrize("name", ["Voice", "0.25", "../voice", "a/b", "voice 1"])
def test_a_name_is_lower_case(study, name):
    with pytest.raises(SystemExit, match=r"ERROR: --name .*a-z"):
        pack("--name", name)
    assert not (study / "pretrained").exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (WEIGHTS, 70000.0, rf"seed=1/encoder.safetensors: {WEIGHTS} has a weight of 7e\+04.*65504"),
        (WEIGHTS, float("nan"), rf"{WEIGHTS} has numbers that are not finite"),
        (STATISTIC, float("inf"), rf"{STATISTIC} has numbers that are not finite"),
    ],
)
def test_what_half_precision_cannot_hold_is_refused(study, name, value, words):
    encoder = trained()
    encoder.state_dict()[name].view(-1)[3] = value
    save_encoder("results/encoders/voice-0.25/seed=1/encoder.safetensors", encoder, CARD)
    with pytest.raises(SystemExit, match=words):
        pack()
    assert list((study / "pretrained").glob("*")) == []


def test_what_would_underflow_stays_float32(study):
    encoder = trained()
    encoder.state_dict()[WEIGHTS].mul_(1e-7)  # followed by a batch norm, so that this is no impossible weight
    encoder.state_dict()[STATISTIC].mul_(1e-14)
    save_encoder("results/encoders/voice-0.25/seed=1/encoder.safetensors", encoder, CARD)
    pack()
    packed = safetensors.torch.load_file("pretrained/voice-0.25/encoder.safetensors")
    for name in (WEIGHTS, STATISTIC):
        assert torch.equal(packed[name], encoder.state_dict()[name])
    assert packed["layer2.1.conv1.weight"].dtype == torch.float16


def test_what_is_no_encoder_is_named(study):
    with pytest.raises(SystemExit, match=r"ERROR: nowhere is not an encoder.*results/encoders"):
        main(["nowhere"])
    folder = study / "results/encoders/voice-0.25/seed=1"
    with pytest.raises(SystemExit, match=r"history.csv is not a scores.csv"):
        pack("--scores", str(folder / "history.csv"))
    (folder / "encoder.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"is not the encoder that its .json describes \(KeyError: 'width'"):
        pack()
    (folder / "encoder.json").write_text('{"width": 0.0625, "encoder": "voice-0.25", "source": "synthetic"}')
    with pytest.raises(SystemExit, match=r"encoder.json does not say seed: "):
        pack()
    (folder / "encoder.safetensors").unlink()
    with pytest.raises(SystemExit, match=r"there is no \S+encoder.safetensors"):
        pack()
    assert list((study / "pretrained").glob("*")) == []


def test_a_released_encoder_is_adopted_as_a_row(study):
    pack()
    adopted = study / "results/encoders/theirs/seed=0/encoder.safetensors"
    adopt(adopted, released=study / "pretrained/voice-0.25/encoder.safetensors", name="theirs")
    card = read_card(adopted.with_suffix(".json"))
    sha256 = checksum(study / "pretrained/voice-0.25/encoder.safetensors")
    released = {"encoder": "voice-0.25", "seed": 1, "sha256": sha256}
    assert card == dataclasses.replace(CARD, encoder="theirs", source="released", seed=0, about={"released": released})
    mine, theirs = load_encoder(adopted), load_encoder(study / "pretrained/voice-0.25/encoder.safetensors")
    for name, tensor in safetensors.torch.load_file(adopted).items():
        assert tensor.dtype == mine.state_dict()[name].dtype
        assert torch.equal(tensor, theirs.state_dict()[name])


def test_a_broken_released_encoder_is_named(study):
    pack()
    place = study / "pretrained/voice-0.25"
    released, target = place / "encoder.safetensors", study / "results/encoders/theirs/seed=0/encoder.safetensors"
    card = read_json(place / "encoder.json")
    del card["source"], card["seed"]
    (place / "encoder.json").write_text(json.dumps(card))
    with pytest.raises(UserError, match=r"encoder.json does not say source, seed: .*copy"):
        adopt(target, released=released, name="theirs")
    released.write_bytes(released.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"encoder.safetensors is not the encoder.*copy both again"):
        adopt(target, released=released, name="theirs")
    (place / "encoder.json").unlink()
    with pytest.raises(UserError, match=r"there is no \S+encoder.json"):
        adopt(target, released=released, name="theirs")
    assert not target.parent.exists()


def test_the_encoder_that_comes_with_the_code_is_adopted_unchanged(tmp_path):
    """Its card was written by an earlier version."""
    place = Path(__file__).parents[3] / "pretrained/voice-0.05-small"
    adopt(tmp_path / "encoder.safetensors", released=place, name="small")
    before, adopted = read_json(place / "encoder.json"), read_json(tmp_path / "encoder.json")
    told = {"precision", "scores", "random_init_scores", "provenance"}  # in the released card only
    sha256 = checksum(place / "encoder.safetensors")
    released = {"encoder": "voice-0.05", "seed": 0, "sha256": sha256}
    kept = {key: value for key, value in before.items() if key not in told}
    assert adopted == {**kept, "encoder": "small", "source": "released", "seed": 0, "released": released}
    assert (adopted["delta"], adopted["pairs"], adopted["width"]) == (0.05, 51200, 0.25)
    weights = safetensors.torch.load_file(tmp_path / "encoder.safetensors")
    for name, tensor in safetensors.torch.load_file(place / "encoder.safetensors").items():
        assert torch.equal(weights[name], tensor.to(weights[name].dtype))
    read_card(place / "encoder.json").write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (place / "encoder.json").read_bytes()
