import copy
import itertools
import math
import random

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from doppelgangers.evaluation import mlp
from doppelgangers.evaluation.mlp import BatchNorm1d, MlpProtocol, Model, Setting, fit_mlp, grid, network
from doppelgangers.evaluation.runs import Run, hear_order
from tests.blobs import blobs, folds

SETTINGS = dict(
    hidden=[1, 2],
    width=16,
    learning_rates=[3e-3, 1e-2],
    inits=["xavier_uniform", "xavier_normal"],
    tried=8,
    batch_clips=32,
    max_epochs=12,
    check_every_epochs=3,
    patience_checks=20,
    dropout=0.1,
    standardize=False,
    seed=3,
    protocol="corrected",
)
ONE = dict(hidden=[2], learning_rates=[3e-3], inits=["xavier_normal"], dropout=0.0)


def fit(x, y, runs, groups=None, metric="accuracy", **changes):
    features = x if isinstance(x, list) else [x] * len(runs)
    probe = MlpProtocol(**{**SETTINGS, **changes})
    return fit_mlp(features, y, runs, groups=groups or [0] * len(runs), metric=metric, probe=probe)


def test_the_grid_is_hears():
    """The order that `random.shuffle` after `random.seed(42)` gives scikit-learn's ParameterGrid, HEAR's search."""
    axes = ([1, 2], ["xavier_uniform", "xavier_normal"], [3.2e-3, 1e-3, 3.2e-4, 1e-4])
    found = grid(*axes, 16)
    points = list(itertools.product(*axes))
    assert sorted((s.hidden, s.init, s.learning_rate) for s in found) == sorted(points)
    random.seed(42)
    random.shuffle(points)
    assert [(s.hidden, s.init, s.learning_rate) for s in grid(*axes, 8)] == points[:8]
    assert str(Setting(2, "xavier_normal", 1e-3)) == "hidden=2 lr=0.001 init=xavier_normal"


@pytest.mark.parametrize("init", ["xavier_uniform", "xavier_normal"])
def test_initial_weights_have_xaviers_deviation(init):
    layers = network(Setting(2, init, 1e-3), dimension=300, width=200, classes=50, dropout=0.1, seed=0)
    linear = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    for layer, gain in zip(linear, (1, math.sqrt(2), math.sqrt(2)), strict=True):
        assert layer.weight.std().item() == pytest.approx(gain * math.sqrt(2 / sum(layer.weight.shape)), rel=0.03)
    assert [type(layer).__name__ for layer in layers] == ["Linear", "BatchNorm1d", "Dropout", "ReLU"] * 2 + ["Linear"]


def test_hears_linear_probe_tries_every_learning_rate_with_every_initialisation():
    """Its grid: no hidden layer, 4 learning rates by 2 initialisations."""
    rates, inits = [3.2e-3, 1e-3, 3.2e-4, 1e-4], ["xavier_uniform", "xavier_normal"]
    probe = MlpProtocol(**{**SETTINGS, "learning_rates": rates, "inits": inits, "tried": 3, "hidden": [1, 2]}).linear()
    tried = grid(probe.hidden, probe.inits, probe.learning_rates, probe.tried)
    assert len(tried) == 8
    assert {(s.hidden, s.learning_rate, s.init) for s in tried} == set(itertools.product([0], rates, inits))
    assert (probe.max_epochs, probe.patience_checks, probe.batch_clips) == (12, 20, 32)  # the rest is the MLP's


@pytest.mark.parametrize("init", ["xavier_uniform", "xavier_normal"])
def test_without_hidden_layers_there_is_one_linear_layer(init):
    layers = network(Setting(0, init, 1e-3), dimension=300, width=7, classes=50, dropout=0.5, seed=0)
    assert [(type(layer).__name__, layer.in_features, layer.out_features) for layer in layers] == [("Linear", 300, 50)]
    assert layers[0].weight.std().item() == pytest.approx(math.sqrt(2 / 350), rel=0.03)  # gain 1
    assert layers[0].bias.abs().max().item() <= 1 / math.sqrt(300)  # torch's own


def hears_files(clips, folds):
    """HEAR's embedding step as its text says: file names of each split sorted, then shuffled by one generator for all."""
    generator = random.Random(0)
    files = []
    for split in ["train", "valid", "test"] if "train" in folds else [f"fold{i:02d}" for i in range(max(folds))]:
        number = int(split[4:]) + 1 if split.startswith("fold") else split
        names = sorted(clip + ".wav" for clip, fold in zip(clips, folds, strict=True) if fold == number)
        generator.shuffle(names)
        files.append(names)
    return files


@pytest.mark.parametrize("splits", [["test", "train", "valid"], [3, 1, 2], [12, 2, *range(3, 12), 1]])
def test_the_faithful_order_is_hears(splits):
    clips = [f"{i * 37 % 80:02d}{suffix}" for i in range(80) for suffix in ("x", "", "-1")]  # "-" is before ".", after nothing
    folds = [splits[i // 3 * 7 % len(splits)] for i in range(240)]
    expected = [file for files in hears_files(clips, folds) for file in files]
    assert [clips[row] + ".wav" for row in hear_order(clips, folds)] == expected
    assert sorted(expected) != sorted(expected, key=lambda file: file.removesuffix(".wav"))  # the suffix matters here
    named = [clip + ".wav" * (i % 2) for i, clip in enumerate(clips)]  # whether or not a name has it
    np.testing.assert_array_equal(hear_order(named, folds), hear_order(clips, folds))


def test_the_faithful_order_in_full():
    """Python's generator promises the same numbers for ever, so these are HEAR's."""
    order = hear_order(
        ["d", "a", "e", "b", "c", "f", "g", "h"], ["test", "train", "test", "train", "train", "valid", "valid", "train"]
    )
    assert order.tolist() == [4, 1, 3, 7, 5, 6, 0, 2]


def alone(layers, x, y, run, orders, *, learning_rate=3e-3, epochs=12, every=3, batch=32):
    """HEAR's training as a plain PyTorch loop: epoch of the best checkpoint, and its test scores."""
    x = torch.tensor(x)
    y = torch.tensor(y, dtype=torch.float32 if y.ndim == 2 else torch.int64)
    loss = torch.nn.BCEWithLogitsLoss() if y.ndim == 2 else torch.nn.CrossEntropyLoss()
    activation = torch.sigmoid if y.ndim == 2 else lambda logits: torch.softmax(logits, dim=1)
    optimizer = torch.optim.Adam(layers.parameters(), lr=learning_rate)
    best, chosen = -1, None
    for epoch in range(1, epochs + 1):
        layers.train()
        for rows in torch.as_tensor(orders(run.train)).split(batch):
            optimizer.zero_grad()
            loss(layers(x[rows]), y[rows]).backward()
            optimizer.step()
        if epoch % every == 0:
            layers.eval()
            with torch.no_grad():
                value = accuracy_score(y[run.valid], layers(x[run.valid]).argmax(dim=1)) if y.ndim == 1 else epoch
                if value > best:
                    best, chosen = value, (epoch, activation(layers(x[run.test])).numpy())
    return chosen


def initial(r, setting, position, dimension, classes):
    seed = int(np.random.SeedSequence([SETTINGS["seed"], r, position]).generate_state(1)[0])
    return network(setting, dimension=dimension, width=SETTINGS["width"], classes=classes, dropout=0.0, seed=seed)


@pytest.mark.parametrize("protocol", ["faithful", "corrected"])
@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_training_equals_hears_loop(protocol, hidden):
    x, y = blobs()
    runs = folds(len(y), 3)
    runs[1] = Run(runs[1].train[:-2], runs[1].valid, runs[1].test)  # another last batch than its neighbours
    setting = Setting(hidden, "xavier_normal", 3e-3)
    found = fit(x, y, runs, protocol=protocol, **{**ONE, "hidden": [hidden]})
    for r, (run, it) in enumerate(zip(runs, found, strict=True)):
        rng = np.random.default_rng([SETTINGS["seed"], r])
        orders = rng.permutation if protocol == "corrected" else lambda rows: rows
        epoch, scores = alone(initial(r, setting, 0, 8, 4), x, y, run, orders)
        assert it.epoch == epoch
        assert it.setting == str(setting)
        np.testing.assert_allclose(it.test_scores, scores, atol=1e-4)


def test_several_labels_a_clip_equal_the_loop_too(monkeypatch):
    x, y = blobs()
    y = np.eye(4, dtype=np.int64)[y] | (np.random.default_rng(1).random((len(y), 4)) < 0.1)
    run = folds(len(y), 3)[0]
    calls = itertools.count()
    monkeypatch.setattr(mlp, "score", lambda *_: {"mAP": next(calls)})  # each check is a gain, as in `alone`
    found = fit(x, y, [run], metric="mAP", protocol="faithful", **ONE)[0]
    epoch, scores = alone(initial(0, Setting(2, "xavier_normal", 3e-3), 0, 8, 4), x, y, run, lambda rows: rows)
    assert found.epoch == epoch == 12
    np.testing.assert_allclose(found.test_scores, scores, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "best", "checks"),
    [([0.1, 0.3, 0.3, 0.2, 0.9], 2, 4), ([0.5, 0.4, 0.6, 0.1, 0.2, 0.9], 3, 5), ([math.nan, math.nan, 0.2, 0.1, 0.1], 3, 5)],
)
def test_training_stops_after_checks_without_a_gain(monkeypatch, values, best, checks):
    """With a patience of 2: `best` is the check that is kept, after `checks` checks training ends."""
    x, y = blobs()
    asked = []
    monkeypatch.setattr(mlp, "score", lambda *_: asked.append(0) or {"accuracy": values[len(asked) - 1]})
    found = fit(x, y, folds(len(y), 3)[:1], patience_checks=2, max_epochs=100, **ONE)[0]
    assert (found.epoch, len(asked)) == (3 * best, checks)


def test_the_setting_that_validates_best_is_scored_as_if_it_were_alone():
    x, y = blobs()
    run = folds(len(y), 3)[0]
    settings = {**ONE, "patience_checks": 2, "max_epochs": 30, "learning_rates": [1e-12, 3e-3]}
    both = fit(x, y, [run], **settings)[0]
    assert both.setting == "hidden=2 lr=0.003 init=xavier_normal"
    position = [s.learning_rate for s in grid([2], ["xavier_normal"], [1e-12, 3e-3], 8)].index(3e-3)
    orders = np.random.default_rng([SETTINGS["seed"], 0]).permutation
    layers = initial(0, Setting(2, "xavier_normal", 3e-3), position, 8, 4)
    epoch, scores = alone(layers, x, y, run, orders, epochs=both.epoch)
    assert epoch == both.epoch
    np.testing.assert_allclose(both.test_scores, scores, atol=1e-4)


def test_the_grid_is_searched_in_the_first_run_of_each_group():
    x, y = blobs()
    runs = folds(len(y), 3)
    noise = np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    found = fit([x] * 3 + [noise] * 3, y, runs * 2, groups=["a"] * 3 + ["b"] * 3)
    for group in (found[:3], found[3:]):
        assert len({it.setting for it in group}) == 1
    accuracy = [np.mean(it.test_scores.argmax(axis=1) == y[run.test]) for it, run in zip(found, runs * 2, strict=True)]
    assert min(accuracy[:3]) > 0.5
    assert max(accuracy[3:]) < 0.4  # chance is 0.25
    again = fit([x] * 3 + [noise] * 3, y, runs * 2, groups=["a"] * 3 + ["b"] * 3)
    np.testing.assert_array_equal(found[4].test_scores, again[4].test_scores)


def test_several_labels_a_clip_are_learned():
    x, y = blobs()
    run = folds(len(y), 3)[0]
    found = fit(x, np.eye(4, dtype=np.int64)[y], [run], metric="mAP", max_epochs=30, standardize=True)[0]
    assert found.test_scores.shape == (len(run.test), 4)
    assert np.mean(found.test_scores.argmax(axis=1) == y[run.test]) > 0.7


def test_a_last_batch_of_one_clip():
    x, y = blobs(n=99)  # 33 training clips in the first run: batches of 32 and 1
    runs = folds(99, 3)
    assert len(runs[0].train) % 32 == 1
    found = fit(x, y, runs, max_epochs=30, **ONE)
    assert all(np.isfinite(it.test_scores).all() for it in found)
    assert np.mean(found[0].test_scores.argmax(axis=1) == y[runs[0].test]) > 0.4  # chance is 0.25


def test_batch_norm_of_one_clip_trains_its_bias_only():
    """The limit of batch norm's formula: what is its own mean is 0, and its variance is unknown."""
    layer, x = BatchNorm1d(5), torch.randn(1, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    torch.nn.init.normal_(layer.bias, generator=torch.Generator().manual_seed(1))
    torch.nn.init.constant_(layer.weight, 2.0)
    out = layer(x)
    assert torch.equal(out, layer.bias[None])
    out.sum().backward()
    assert torch.equal(layer.bias.grad, torch.ones(5))
    for tensor in (layer.weight, x):
        assert torch.equal(tensor.grad, torch.zeros_like(tensor))
    assert torch.equal(layer.running_mean, torch.zeros(5))
    assert torch.equal(layer.running_var, torch.ones(5))
    plain = torch.nn.BatchNorm1d(5)
    plain.load_state_dict(layer.state_dict())
    many = torch.randn(7, 5, generator=torch.Generator().manual_seed(2))
    assert torch.equal(layer(many), plain(many))
    assert torch.equal(layer.eval()(many[:1]), plain.eval()(many[:1]))


def test_fewer_epochs_than_between_checks_are_checked_at_the_end():
    x, y = blobs()
    assert fit(x, y, folds(len(y), 3)[:1], max_epochs=2, **ONE)[0].epoch == 2


def test_dropout_is_drawn_from_the_seed_and_disturbs_no_other_draws():
    x, y = blobs()
    run = folds(len(y), 3)[:1]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = fit(x, y, run, **{**ONE, "dropout": 0.5})[0].test_scores
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    np.testing.assert_array_equal(fit(x, y, run, **{**ONE, "dropout": 0.5})[0].test_scores, first)
    assert not np.allclose(fit(x, y, run, **ONE)[0].test_scores, first, atol=1e-3)


def test_a_checkpoint_is_a_copy():
    setting = Setting(1, "xavier_normal", 1e-3)
    model = Model(network(setting, dimension=4, width=5, classes=2, dropout=0.0, seed=0))
    before = copy.deepcopy(model.network.state_dict())
    model.check(0.5, 3)
    with torch.no_grad():
        model.network[0].weight.zero_()
    torch.testing.assert_close(model.checkpoint, before)
