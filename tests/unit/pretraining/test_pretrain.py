import csv
import dataclasses
import logging
import os
import re
import signal

import numpy as np
import pytest
import safetensors.torch
import torch

from doppelgangers.encoders.card import Card, read_card
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.initialize import initialize
from doppelgangers.errors import UserError
from doppelgangers.files import read_json
from doppelgangers.pretraining import history, learner, memory, saving
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.learner import Learner, learning_rate_factor
from doppelgangers.pretraining.losses import align_uniform
from doppelgangers.pretraining.pretrain import pretrain, pretrain_on_recordings
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.sources import Store, Stream
from doppelgangers.pretraining.stopwatch import PARTS
from doppelgangers.pretraining.training import Training, train_rank
from doppelgangers.synthesis.generate import PairRecipe
from doppelgangers.synthesis.pairs import generate_pairs
from tests.recorded import write_decoded
from tests.unit.pretraining.small import CPU, RECIPE, WIDTH, changed, small_learner

STAGE = dict(
    name="voice-0.05",
    recipe=RECIPE,
    augmentation="none",
    seed=0,
    impulse_responses=None,
    width=WIDTH,
    checkpoint_every_s=30,
    selected=None,
    kept="",
)
SMALL_BATCHES = 2  # from which the memory of a batch is estimated before the first step


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    manifest = tmp_path_factory.mktemp("store") / "manifest.json"
    generate_pairs(manifest, recipe=RECIPE, count=64, shard_pairs=48)
    return manifest


def run(folder, *, store=None, **changes):
    """Train in a folder, on a store or, without one, on a stream; `changes` are of STAGE or of TRAINING."""
    stage = {key: changes.pop(key, value) for key, value in STAGE.items()}
    training = changed(**{"source": "store" if store else "stream", **changes})
    pretrain(folder / "encoder.safetensors", folder / "history.csv", store=store, training=training, **stage)


def history_of(folder):
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def weights(folder):
    return safetensors.torch.load_file(folder / "encoder.safetensors")


@pytest.fixture(scope="module")
def undisturbed(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run(folder, store=store)
    return folder


def test_training_lowers_the_loss_and_writes_its_history(undisturbed):
    rows = history_of(undisturbed)
    assert [row["step"] for row in rows] == ["2", "4", "6", "8"]
    assert [row["pairs"] for row in rows] == ["32", "64", "96", "128"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    for row in rows:
        np.testing.assert_allclose(float(row["align"]) + float(row["uniform"]), float(row["loss"]), atol=1e-4)
        assert 1 < float(row["effective_rank"]) <= 32
        assert float(row["dead_share"]) == 0
    card = read_json(undisturbed / "encoder.json")
    assert (card["encoder"], card["pairs"], card["source"]) == ("voice-0.05", 128, "synthetic")
    assert {term: f"{value:.6g}" for term, value in card["metrics"].items()} == {key: rows[-1][key] for key in card["metrics"]}
    assert list(card["metrics"]) == ["align", "loss", "uniform"]
    told = {
        key: card["settings"][key] for key in ("recipe.delta", "pairs_from", "width", "seed", "learning_rate", "augmentation")
    }
    assert list(told.values()) == [0.05, "store", WIDTH, 0, 1e-3, "none"]
    assert list((undisturbed / "tensorboard").iterdir())
    assert not (undisturbed / "checkpoint.pt").exists()


@pytest.fixture
def interrupted(monkeypatch):
    """A function that lets training break off after so many steps, as by kill -9; and the list of steps that were done."""
    done, step = [], Learner.step

    def after(steps):
        def die(learner, sounds, number, watch):
            if len(done) == steps:
                raise KeyboardInterrupt
            done.append(number)
            return step(learner, sounds, number, watch)

        monkeypatch.setattr(Learner, "step", die)

    return after, done


@pytest.mark.parametrize("killed_at", [1, 5])
def test_a_killed_training_continues_and_ends_with_the_same_weights(undisturbed, store, tmp_path, interrupted, killed_at):
    after, done = interrupted
    after(killed_at)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, store=store, checkpoint_every_s=0)
    assert (tmp_path / "checkpoint.pt").exists()
    assert not (tmp_path / "encoder.safetensors").exists()
    after(None)
    run(tmp_path, store=store)
    assert done == list(range(1, 9))  # none was done twice
    expected = weights(undisturbed)
    for name, tensor in weights(tmp_path).items():
        assert torch.equal(tensor, expected[name]), name
    rows = [(folder / "history.csv").read_text().splitlines() for folder in (undisturbed, tmp_path)]
    terms = [[row.split(",")[:6] for row in text] for text in rows]  # the other columns are times
    assert terms[0] == terms[1]


SNAPSHOTS = [16, 80]  # pairs: after steps 1 and 5 of 8


def test_snapshots_are_what_the_training_was_then(undisturbed, store, tmp_path):
    run(tmp_path, store=store, snapshots=SNAPSHOTS)
    assert sorted(path.name for path in tmp_path.glob("after-*")) == [
        f"after-{pairs}.{kind}" for pairs in SNAPSHOTS for kind in ("json", "safetensors")
    ]
    card = read_card(tmp_path / "after-80.json")
    assert (card.encoder, card.source, card.pairs, card.delta) == ("voice-0.05-after-80", "snapshot", 80, 0.05)
    assert list(card.metrics) == list(read_card(tmp_path / "encoder.json").metrics)
    first, later = (load_encoder(tmp_path / f"after-{pairs}.safetensors").state_dict() for pairs in SNAPSHOTS)
    last = load_encoder(tmp_path / "encoder.safetensors").state_dict()
    distances = [
        sum((state[name] - last[name]).square().sum() for name in last if "weight" in name) for state in (first, later)
    ]
    assert distances[0] > distances[1] > 0
    for name, tensor in weights(tmp_path).items():
        assert torch.equal(tensor, weights(undisturbed)[name]), name  # the training is the same without them
    assert not (tmp_path / "snapshots").exists()


def test_the_last_steps_snapshot_would_be_the_encoder(store, tmp_path):
    """After as many steps of one schedule, a snapshot has the weights of a training that ends there."""
    for name, pairs, snapshots in (("short", 80, []), ("long", 128, [80])):
        (tmp_path / name).mkdir()
        run(tmp_path / name, store=store, pairs=pairs, snapshots=snapshots, schedule="constant", warmup=0.0)
    snapshot = safetensors.torch.load_file(tmp_path / "long" / "after-80.safetensors")
    for name, tensor in weights(tmp_path / "short").items():
        assert torch.equal(tensor, snapshot[name]), name


@pytest.mark.parametrize("lost", [False, True])
def test_a_killed_training_keeps_its_snapshots_or_begins_again_without_one(store, tmp_path, interrupted, lost):
    after, done = interrupted
    after(3)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, store=store, checkpoint_every_s=0, snapshots=SNAPSHOTS)
    assert not list(tmp_path.glob("after-*"))  # not before the training ends
    if lost:
        (tmp_path / "snapshots" / "after-16.safetensors").unlink()
    after(None)
    run(tmp_path, store=store, snapshots=SNAPSHOTS)
    assert done == ([1, 2, 3] if lost else []) + list(range(1, 9))
    assert len(list(tmp_path.glob("after-*"))) == 4


def test_a_training_that_is_told_to_end_saves_its_step_first(undisturbed, store, tmp_path, monkeypatch):
    step = Learner.step

    def terminate_at_3(learner, sounds, number, watch):
        if number == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(learner, sounds, number, watch)

    monkeypatch.setattr(Learner, "step", terminate_at_3)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"):
        run(tmp_path, store=store)
    assert signal.getsignal(signal.SIGTERM) == before
    assert torch.load(tmp_path / "checkpoint.pt")["state"]["step"] == 3
    monkeypatch.setattr(Learner, "step", step)
    run(tmp_path, store=store)
    expected = weights(undisturbed)
    for name, tensor in weights(tmp_path).items():
        assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize(
    ("before", "cut", "message"),
    [
        (
            {"learning_rate": 2e-3},
            None,
            "left by a training with other settings: learning_rate (was 0.002, is 0.001); beginning",
        ),
        ({"recipe": PairRecipe("voice", 0.1)}, None, "with other settings: recipe.delta (was 0.1, is 0.05); beginning"),
        ({}, 1000, "checkpoint.pt cannot be read ("),
        ({}, 0, "checkpoint.pt cannot be read ("),
    ],
)
def test_a_checkpoint_that_is_of_no_use_does_not_count_and_the_log_says_why(
    undisturbed, store, tmp_path, interrupted, caplog, before, cut, message
):
    after, done = interrupted
    after(2)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, store=store, checkpoint_every_s=0, **before)
    after(None)
    checkpoint = tmp_path / "checkpoint.pt"
    content = checkpoint.read_bytes()[:cut]
    checkpoint.write_bytes(content)
    done.clear()
    after(1)
    with caplog.at_level(logging.INFO), pytest.raises(KeyboardInterrupt):
        run(tmp_path, store=store)
    assert (tmp_path / "checkpoint.other.pt").read_bytes() == content
    after(None)
    run(tmp_path, store=store)
    assert message in caplog.text
    assert done == [1, *range(1, 9)]
    expected = weights(undisturbed)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(tmp_path).items())
    assert not list(tmp_path.glob("checkpoint*"))


def test_store_and_stream_give_the_same_sounds(store):
    stream, stored = Stream(RECIPE).open(16, seed=0), Store(store).open(16, seed=0)
    assert stream.samples == stored.samples == 16000
    epoch = torch.cat([stored.read(stored.order(step)) for step in range(4)])
    order = np.random.default_rng([0, 0]).permutation(64)
    fresh = stream.read(np.concatenate([stream.order(step) for step in range(4)]))
    torch.testing.assert_close(epoch, fresh[order], atol=1e-4, rtol=0)
    assert not np.array_equal(stored.order(4), stored.order(0))  # another order


def first_of_batch():
    return dataclasses.replace(RECIPE, peak="first_of_batch")


def selection_of(folder, numbers):
    folder.mkdir(exist_ok=True)
    (folder / "selected.csv").write_text("pair,value\n" + "".join(f"{number},0.5\n" for number in numbers))
    return folder / "selected.csv"


def test_only_selected_pairs_are_used_each_once_an_epoch(store, tmp_path):
    kept = [*range(3, 40), 60]
    pairs = Store(store, selection_of(tmp_path, kept)).open(16, seed=1)
    epochs = [np.concatenate([pairs.order(step) for step in (epoch, epoch + 1)]) for epoch in (0, 2)]
    for numbers in epochs:
        assert len(set(numbers)) == 32
        assert set(numbers) <= set(kept)
    assert epochs[0].tolist() != epochs[1].tolist()
    everything = Store(store, selection_of(tmp_path, range(64))).open(16, seed=1)
    assert everything.order(5).tolist() == Store(store).open(16, seed=1).order(5).tolist()


@pytest.mark.parametrize(
    ("numbers", "message"), [([1, 2], "has 2 pairs, fewer than a batch"), ([*range(15), 64], "has pair 64")]
)
def test_a_selection_that_does_not_fit_its_store_is_named(store, tmp_path, numbers, message):
    with pytest.raises(UserError, match=f"selected.csv {message}"):
        Store(store, selection_of(tmp_path, numbers)).open(16, seed=0)


def test_an_encoder_says_which_pairs_it_was_trained_on(store, tmp_path):
    """And a checkpoint of another selection is not continued, because its settings differ."""
    cards = []
    for name, numbers in {"a": range(32), "b": range(32, 64)}.items():
        selected = selection_of(tmp_path / name, numbers)
        run(tmp_path / name, store=store, selected=selected, kept="certain_0.5_aisfx_entropy")
        cards.append(read_card(tmp_path / name / "encoder.json"))
    assert {(card.source, card.architecture, card.delta) for card in cards} == {
        ("synthetic", RECIPE.architecture, RECIPE.delta)
    }
    assert {card.augmentation for card in cards} == {"certain_0.5_aisfx_entropy"}
    assert cards[0].settings["selected"] != cards[1].settings["selected"]
    selected = tmp_path / "b" / "selected.csv"
    run(tmp_path / "d", store=store, selected=selected, kept="certain", source="stream", recipe=first_of_batch())
    assert read_card(tmp_path / "d" / "encoder.json").settings["recipe.peak"] == "own"
    again, before = weights(tmp_path / "d"), weights(tmp_path / "b")
    assert all(torch.equal(tensor, before[name]) for name, tensor in again.items())  # from the store, whatever others do
    with pytest.raises(ValueError, match="does not go with the store None"):
        run(tmp_path / "c", selected=tmp_path / "a" / "selected.csv", kept="certain")


@pytest.mark.slow
def test_each_seed_has_a_stream_of_its_own():
    recipe = PairRecipe("percussive", 0.05)  # it is compiled soonest
    sounds = [Stream(recipe).open(8, seed).read(np.arange(8)).flatten(0, 1) for seed in (0, 1)]
    likeness = torch.corrcoef(torch.cat(sounds))[:16, 16:]
    assert likeness.abs().max() < 0.99  # no sound of one is in the other


@pytest.mark.parametrize(("gpu_pairs", "part"), [("own", 1), ("same", 0)])
def test_two_processes_take_their_own_pairs_or_the_same(tmp_path, monkeypatch, gpu_pairs, part):
    """The authors' two processes draw the same pairs and the same augmentations."""
    taken, new_learner = [], Training.new_learner

    def one_process(training, device, rank=0, ranks=1):
        taken.append((rank, ranks))
        return new_learner(training, device)

    def no_batches(pairs, steps, device, rank, ranks):
        taken.append((rank, ranks))
        return iter(())

    monkeypatch.setattr(Training, "new_learner", one_process)
    monkeypatch.setattr("doppelgangers.pretraining.training.batches", no_batches)
    card = Card("voice-0.05", "synthetic", seed=0, width=WIDTH)
    settings, source = changed(gpu_pairs=gpu_pairs, source="stream"), Stream(RECIPE)
    paths = {"encoder": tmp_path / "encoder.safetensors", "history": tmp_path / "history.csv"}
    training = Training(**paths, card=card, settings=settings, width=WIDTH, source=source, augmentation=Augmentation("none"))
    train_rank(1, 2, CPU, training)
    assert taken[-2:] == [(part, 2), (part, 2)]


@pytest.mark.parametrize("options", [{"views": "jitter", "layers": 1}, {"views": "crop", "layers": 2}])
def test_training_on_recordings_says_how_its_views_were_made(tmp_path, options):
    manifest, _ = write_decoded(tmp_path, [40_000, 20_000, 9_000, 50_000] * 4)
    pretrain_on_recordings(
        tmp_path / "encoder.safetensors",
        tmp_path / "history.csv",
        name="forest",
        seed=3,
        manifest=manifest,
        recordings="forest",
        duration_s=1.0,
        **options,
        augmentation="spec",
        impulse_responses=None,
        width=WIDTH,
        training=changed(pairs=32),
    )
    assert [row["step"] for row in history_of(tmp_path)] == ["2"]
    card = read_json(tmp_path / "encoder.json")
    assert (card["encoder"], card["source"], card["seed"], card["pairs"]) == ("forest", "real", 3, 32)
    assert card["augmentation"] == {"jitter": "jitter+spec", "crop": "layers2+spec"}[options["views"]]
    assert card["settings"].items() >= {"recordings": "forest", "augmentation": "spec", **options}.items()
    start = Encoder(WIDTH, seed=3).state_dict()
    assert all(not torch.equal(tensor, start[name]) for name, tensor in weights(tmp_path).items() if name.endswith("weight"))


def test_training_on_a_stream_needs_no_store(tmp_path, store):
    with pytest.raises(ValueError, match=r"source 'stream' does not go with the store .*manifest.json"):
        run(tmp_path, store=store, source="stream")
    run(tmp_path, pairs=32, optimizer="sgd", schedule="step", warmup=0.0)
    assert read_json(tmp_path / "encoder.json")["pairs"] == 32


def test_nt_xent_is_lowered_and_both_terms_are_measured(store, tmp_path):
    run(tmp_path, store=store, objective="nt_xent", temperature=0.5)
    rows = history_of(tmp_path)
    assert 0 < float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert float(rows[-1]["uniform"]) < 0 < float(rows[-1]["align"])


def test_a_sign_of_failure_is_logged_once(store, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(history, "find_warnings", lambda rows: {"collapse": f"nearly identical, row {len(rows)}"})
    with caplog.at_level(logging.WARNING):
        run(tmp_path, store=store)
    assert [record.message for record in caplog.records] == ["voice-0.05 seed 0: nearly identical, row 1"]


def test_a_term_that_is_not_finite_stops_the_run_and_the_first_such_step_is_named(store, tmp_path, monkeypatch):
    calls = []

    def nan_from_the_third_step(a, b):
        calls.append(1)
        align, uniform = align_uniform(a, b)
        return (align * torch.nan if len(calls) - SMALL_BATCHES >= 3 else align), uniform

    monkeypatch.setattr(learner, "align_uniform", nan_from_the_third_step)
    with pytest.raises(UserError, match=r"^align and loss became not finite \(voice-0.05 seed 0, step 3: align nan, uniform -"):
        run(tmp_path, store=store, log_every_steps=5)
    assert not (tmp_path / "encoder.safetensors").exists()


def test_a_divergence_leaves_no_checkpoint_and_can_be_repeated_with_a_lower_rate(store, tmp_path, monkeypatch):
    """A rate so high that weights overflow in the update of a step that is not logged, with a checkpoint after each step."""
    saved, save = [], saving.save_state

    def keep(path, state, settings):
        save(path, state, settings)
        saved.append(torch.load(path)["state"])

    monkeypatch.setattr(saving, "save_state", keep)
    diverging = dict(optimizer="sgd", schedule="constant", warmup=0.0, weight_decay=0.0, log_every_steps=8)
    with pytest.raises(
        UserError, match=r"^(weights|.*loss) became not finite \(voice-0.05 seed 0, step (\d): .*lower pretrain.le"
    ):
        run(tmp_path, store=store, checkpoint_every_s=0, learning_rate=1e30, **diverging)
    assert all(tensor.isfinite().all() for state in saved for tensor in state["model"].values())
    assert not list(tmp_path.glob("checkpoint*"))
    run(tmp_path, store=store, learning_rate=1e-3, **diverging)
    assert all(tensor.isfinite().all() for tensor in weights(tmp_path).values())


@pytest.mark.parametrize("step", [3, 8])
def test_weights_that_break_in_an_update_are_never_saved(store, tmp_path, monkeypatch, step):
    """In the last update too, after which no term of the loss is computed any more."""
    learn = Learner.learn
    done = []

    def break_a_weight(learner, patches, watch):
        result = learn(learner, patches, watch)
        done.append(1)
        if len(done) == step:
            learner.encoder.bn1.running_var[0] = torch.inf  # no term of the loss shows it
        return result

    monkeypatch.setattr(Learner, "learn", break_a_weight)
    with pytest.raises(UserError, match=rf"^weights became not finite \(voice-0.05 seed 0, step {step}: "):
        run(tmp_path, store=store, log_every_steps=8, checkpoint_every_s=0 if step == 3 else 30)
    assert not list(tmp_path.glob("checkpoint*"))
    assert not list(tmp_path.glob("encoder*"))


def test_collapse_stops_the_run(store, tmp_path, monkeypatch):
    class Constant(Encoder):
        def forward(self, log_mel):
            return super().forward(log_mel) * 0 + 1

    monkeypatch.setattr(learner, "Encoder", Constant)
    with pytest.raises(UserError, match=r"all embeddings are alike.*step 1:"):
        run(tmp_path, store=store)


def test_a_gpu_that_is_not_there_is_missed_at_once(store, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(UserError, match=r"pretrain.gpus = 2, and torch finds 0 GPUs here"):
        run(tmp_path, store=store, gpus=2)


def test_a_batch_that_does_not_fit_is_refused_with_the_largest_that_would(tmp_path, monkeypatch):
    with pytest.raises(
        UserError, match=r"batch_pairs = 10000000 needs about .* GB .*largest batch that fits is about (\d+)"
    ) as caught:
        run(tmp_path, pairs=10_000_000, batch_pairs=10_000_000)
    largest = int(re.search(r"is about (\d+)", str(caught.value))[1])
    assert 100 < largest < 1_000_000
    monkeypatch.setattr(memory, "free_bytes", lambda device: 2e9)
    with pytest.raises(UserError, match=r"2.0 GB are free: the largest batch that fits") as caught:
        run(tmp_path, pairs=10_000_000, batch_pairs=10_000_000)
    smaller = int(re.search(r"is about (\d+)", str(caught.value))[1])
    assert smaller < largest


def test_the_cosine_schedule_rises_and_falls_to_zero():
    factor = learning_rate_factor(PretrainSettings(pairs=40, batch_pairs=2, schedule="cosine", warmup=0.2))
    np.testing.assert_allclose([factor(step) for step in range(5)], [0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose([factor(12), factor(20)], [0.5, 0], atol=1e-12)


def test_the_papers_schedule():
    settings = PretrainSettings(pairs=400, batch_pairs=2, schedule="step", warmup=0.0, milestones=[0.775, 0.85, 0.925])
    factor = learning_rate_factor(settings)
    drops = [step for step in range(1, 200) if factor(step) < factor(step - 1)]
    assert drops == [155, 170, 185]
    np.testing.assert_allclose([factor(0), factor(155), factor(170), factor(199)], [1, 0.1, 0.01, 0.001])


def test_random_initialisation_is_where_training_starts(tmp_path):
    initialize(tmp_path / "encoder.safetensors", seed=3, width=0.0625)
    encoder = load_encoder(tmp_path / "encoder.safetensors")
    assert not encoder.training
    start = small_learner(seed=3).encoder.state_dict()
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, start[name]), name


def test_a_broken_encoder_is_named(tmp_path):
    initialize(tmp_path / "encoder.safetensors", seed=0, width=0.0625)
    (tmp_path / "encoder.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"encoder.safetensors is not the encoder"):
        load_encoder(tmp_path / "encoder.safetensors")


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_gpu_trains_on_a_stream(tmp_path, precision, compiled):
    run(tmp_path, pairs=640, batch_pairs=64, precision=precision, compile=compiled)
    rows = history_of(tmp_path)
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) < 0
    shares = [float(rows[-1][f"{part}_share"]) for part in PARTS]
    assert min(shares) >= 0
    assert 0.2 < sum(shares) <= 1.001


@pytest.mark.gpu
@needs_gpu
def test_a_gpu_sees_the_sounds_that_a_cpu_sees():
    import jax

    source = Stream(PairRecipe("voice", 0.25))
    on_gpu = source.open(64, seed=0).read(np.arange(64))
    assert on_gpu.is_cuda
    with jax.default_device(jax.devices("cpu")[0]):
        on_cpu = source.open(64, seed=0).read(np.arange(64))
    error = (on_gpu.cpu() - on_cpu.cpu()).norm(dim=2) / on_cpu.cpu().norm(dim=2)
    assert error.median() < 0.01


@pytest.mark.gpu
@needs_gpu
def test_a_training_that_is_continued_on_a_gpu_ends_near_an_undisturbed_one(tmp_path, interrupted):
    after, _ = interrupted
    options = dict(pairs=640, batch_pairs=64, checkpoint_every_s=0)
    for name, killed_at in (("undisturbed", None), ("continued", 4)):
        (tmp_path / name).mkdir()
        if killed_at:
            after(killed_at)
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path / name, **options)
            after(None)
        run(tmp_path / name, **options)
    losses = [read_json(tmp_path / name / "encoder.json")["metrics"]["loss"] for name in ("undisturbed", "continued")]
    np.testing.assert_allclose(losses[0], losses[1], atol=0.05)
