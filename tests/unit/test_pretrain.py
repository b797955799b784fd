import csv
import logging

import numpy as np
import pytest
import safetensors.torch
import torch

from doppelgangers import pretrain as module
from doppelgangers.checkpoint import load_encoder
from doppelgangers.encoder import Encoder
from doppelgangers.errors import UserError
from doppelgangers.files import read_json
from doppelgangers.initialize import initialize
from doppelgangers.pairs import generate_pairs
from doppelgangers.pretrain import learning_rate_schedule, open_pairs, pretrain

GENERATOR = dict(seed=0, perturbation="gaussian", factors={}, duration_s=1.0, control_rate_hz=480)
SETTINGS = dict(
    architecture="voice",
    delta=0.05,
    seed=0,
    generator=GENERATOR,
    width=0.0625,
    source="store",
    pairs=128,
    batch_pairs=16,
    objective="align_uniform",
    temperature=0.1,
    optimizer="adamw",
    learning_rate=1e-3,
    weight_decay=1e-6,
    schedule="cosine",
    warmup=0.1,
    milestones=[0.775],
    log_every_steps=2,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    manifest = tmp_path_factory.mktemp("store") / "manifest.json"
    generate_pairs(manifest, architecture="voice", delta=0.05, count=64, shard_pairs=48, **GENERATOR)
    return manifest


def run(folder, **changes):
    pretrain(folder / "encoder.safetensors", folder / "history.csv", **{**SETTINGS, **changes})


def weights(folder):
    return safetensors.torch.load_file(folder / "encoder.safetensors")


@pytest.fixture(scope="module")
def undisturbed(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run(folder, store=store)
    return folder


def test_training_lowers_the_loss_and_writes_its_history(undisturbed):
    rows = list(csv.DictReader((undisturbed / "history.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["2", "4", "6", "8"]
    assert [row["pairs"] for row in rows] == ["32", "64", "96", "128"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    for row in rows:
        np.testing.assert_allclose(float(row["align"]) + float(row["uniform"]), float(row["loss"]), atol=1e-4)
        assert 1 < float(row["effective_rank"]) <= 32
        assert float(row["dead_share"]) == 0
    card = read_json(undisturbed / "encoder.json")
    assert (card["encoder"], card["pairs"], card["source"]) == ("voice-0.05", 128, "synthetic")
    assert list((undisturbed / "tensorboard").iterdir())
    assert not (undisturbed / "checkpoint.pt").exists()


@pytest.mark.parametrize("killed_at", [1, 5])
def test_a_killed_training_continues_and_ends_with_the_same_weights(undisturbed, store, tmp_path, monkeypatch, killed_at):
    steps, step = [], module.training_step

    def die(*args):
        if len(steps) == killed_at:
            raise KeyboardInterrupt
        steps.append(1)
        return step(*args)

    monkeypatch.setattr(module, "training_step", die)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, store=store, checkpoint_every_s=0)
    assert (tmp_path / "checkpoint.pt").exists()
    assert not (tmp_path / "encoder.safetensors").exists()
    monkeypatch.setattr(module, "training_step", lambda *args: (steps.append(1), step(*args))[1])
    run(tmp_path, store=store)
    assert len(steps) == 8  # none was done twice
    expected = weights(undisturbed)
    for name, tensor in weights(tmp_path).items():
        assert torch.equal(tensor, expected[name]), name


def test_a_checkpoint_of_other_settings_is_refused_and_the_key_named(store, tmp_path, monkeypatch, caplog):
    calls, step = [], module.training_step

    def die_at_the_third(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(*args)

    monkeypatch.setattr(module, "training_step", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, store=store, checkpoint_every_s=0)
    with caplog.at_level(logging.WARNING):
        run(tmp_path, store=store, learning_rate=2e-3)
    assert "learning_rate (was 0.001, is 0.002)" in caplog.text
    assert len(calls) == 3 + 8


def test_store_and_stream_give_the_same_sounds(store):
    stream = open_pairs("stream", None, "voice", 0.05, GENERATOR, 16, 0)
    stored = open_pairs("store", store, "voice", 0.05, GENERATOR, 16, 0)
    epoch = torch.cat([stored(step) for step in range(4)])
    order = np.random.default_rng([0, 0]).permutation(64)
    fresh = torch.cat([stream(step) for step in range(4)])
    torch.testing.assert_close(epoch, fresh[order], atol=1e-4, rtol=0)
    assert not torch.equal(torch.cat([stored(step) for step in range(4, 8)]), epoch)  # another order


def test_training_on_a_stream_needs_no_store(tmp_path):
    run(tmp_path, store=None, source="stream", pairs=32, optimizer="sgd", schedule="step", warmup=0.0)
    assert read_json(tmp_path / "encoder.json")["pairs"] == 32


def test_nt_xent_is_lowered_and_both_terms_are_measured(store, tmp_path):
    run(tmp_path, store=store, objective="nt_xent", temperature=0.5)
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert 0 < float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert float(rows[-1]["uniform"]) < 0 < float(rows[-1]["align"])


def test_a_sign_of_failure_is_logged_once(store, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "find_warnings", lambda rows: {"collapse": f"nearly identical, row {len(rows)}"})
    with caplog.at_level(logging.WARNING):
        run(tmp_path, store=store)
    assert [record.message for record in caplog.records] == ["voice 0.05 seed 0: nearly identical, row 1"]


def test_a_loss_that_is_not_finite_stops_the_run_with_step_and_terms(store, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "align_uniform", lambda a, b: (a.sum() * torch.nan, b.sum() * 0))
    with pytest.raises(UserError, match=r"not finite.*step 2: align nan, uniform"):
        run(tmp_path, store=store)
    assert not (tmp_path / "encoder.safetensors").exists()


def test_collapse_stops_the_run(store, tmp_path, monkeypatch):
    class Constant(Encoder):
        def forward(self, log_mel):
            return super().forward(log_mel) * 0 + 1

    monkeypatch.setattr(module, "Encoder", Constant)
    with pytest.raises(UserError, match=r"all embeddings are alike.*step 2"):
        run(tmp_path, store=store)


def test_the_papers_schedule():
    factor = learning_rate_schedule("step", 200, 0.0, [0.775, 0.85, 0.925])
    drops = [step for step in range(1, 200) if factor(step) < factor(step - 1)]
    assert drops == [155, 170, 185]
    np.testing.assert_allclose([factor(0), factor(155), factor(170), factor(199)], [1, 0.1, 0.01, 0.001])


def test_random_initialisation_is_where_training_starts(tmp_path):
    initialize(tmp_path / "encoder.safetensors", seed=3, width=0.0625)
    encoder = load_encoder(tmp_path / "encoder.safetensors")
    assert not encoder.training
    assert torch.equal(encoder.fc.weight, Encoder(0.0625, seed=3).fc.weight)


def test_a_broken_encoder_is_named(tmp_path):
    initialize(tmp_path / "encoder.safetensors", seed=0, width=0.0625)
    (tmp_path / "encoder.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"encoder.safetensors is not the encoder"):
        load_encoder(tmp_path / "encoder.safetensors")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_on_a_stream(tmp_path):
    run(tmp_path, store=None, source="stream", pairs=64)
    assert read_json(tmp_path / "encoder.json")["metrics"]["uniform"] < 0
