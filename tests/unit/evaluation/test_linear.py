import numpy as np
import pytest
import torch

from doppelgangers.evaluation.linear import LinearProtocol, archs_schedule, equal_batches, linear_schedule
from doppelgangers.evaluation.linear import fit_linear as fit_all
from doppelgangers.evaluation.runs import Run
from tests.blobs import blobs, folds

SETTINGS = dict(epochs=6, batch_clips=16, learning_rate=0.01, weight_decay=0.01, warmup=0.1, seed=3)


def fit_linear(features, targets, runs, *, protocol="corrected", **settings):
    return fit_all(features, targets, runs, probe=LinearProtocol(**settings, protocol=protocol))


def one_by_one(x, y, run, r, *, epochs, batch_clips, learning_rate, weight_decay, warmup, seed, steps, standardize):
    """The same probe as a plain PyTorch loop over torch.nn.Linear."""
    if standardize:
        x = (x - x[run.train].mean(axis=0)) / x[run.train].std(axis=0)
    rng = np.random.default_rng([seed, r])
    layer = torch.nn.Linear(x.shape[1], y.max() + 1)
    start = torch.tensor(rng.uniform(-1, 1, (x.shape[1] + 1, y.max() + 1)) / np.sqrt(x.shape[1]), dtype=torch.float32)
    with torch.no_grad():
        layer.weight.copy_(start[:-1].T)
        layer.bias.copy_(start[-1])
    x, y = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, linear_schedule(epochs * steps, warmup))
    best, chosen = np.inf, None
    for epoch in range(1, epochs + 1):
        for rows in np.array_split(rng.permutation(len(run.train)), steps):
            rows = run.train[rows]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(layer(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            loss = torch.nn.functional.cross_entropy(layer(x[run.valid]), y[run.valid]).item()
            if loss < best:
                best, chosen = loss, (epoch, torch.softmax(layer(x[run.test]), dim=1).numpy())
    return chosen


@pytest.mark.parametrize("standardize", [False, True])
def test_runs_trained_together_equal_runs_trained_alone(standardize):
    x, y = blobs()
    runs = folds(len(y), 4)
    runs[0] = Run(runs[0].train[:-5], runs[0].valid, runs[0].test)  # another size than its neighbours
    together = fit_linear([x] * 4, y, runs, standardize=standardize, **SETTINGS)
    steps = -(-max(len(run.train) for run in runs) // SETTINGS["batch_clips"])
    for r, (run, fit) in enumerate(zip(runs, together, strict=True)):
        epoch, scores = one_by_one(x, y, run, r, steps=steps, standardize=standardize, **SETTINGS)
        assert fit.epoch == epoch
        np.testing.assert_allclose(fit.test_scores, scores, atol=1e-5)


def test_validation_chooses_the_epoch():
    x, y = blobs()
    run = folds(len(y), 4)[0]
    shuffled = y.copy()
    shuffled[run.valid] = (y[run.valid] + 1) % 4  # training on makes validation worse
    fit = fit_linear([x], shuffled, [run], standardize=False, **{**SETTINGS, "epochs": 20})[0]
    assert fit.epoch < 20


def as_arch_does(x, y, run, r, *, epochs, batch_clips, learning_rate, weight_decay, warmup, seed):
    """The loop of ARCH's classification_model.py, in PyTorch: test scores (N, C)."""
    multilabel = y.ndim == 2
    classes = y.shape[1] if multilabel else y.max() + 1
    rng = np.random.default_rng([seed, r])
    start = torch.tensor(rng.uniform(-1, 1, (x.shape[1] + 1, classes)) / np.sqrt(x.shape[1]), dtype=torch.float32)
    layer = torch.nn.Linear(x.shape[1], classes)
    with torch.no_grad():
        layer.weight.copy_(start[:-1].T)
        layer.bias.copy_(start[-1])
    x, y = torch.tensor(x), torch.tensor(y, dtype=torch.float32 if multilabel else torch.int64)
    loss = torch.nn.BCEWithLogitsLoss() if multilabel else torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(layer.parameters(), lr=learning_rate, weight_decay=weight_decay)
    total = epochs * -(-len(run.train) // batch_clips)
    rise = int(total * warmup)

    def factor(step):
        if step <= rise:
            return step / rise
        return max(0.0, 1 - (step - rise) / (total - rise))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    for _ in range(epochs):
        order = torch.as_tensor(run.train[rng.permutation(len(run.train))])
        for rows in order.split(batch_clips):
            optimizer.zero_grad()
            loss(layer(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        schedule.step()
    with torch.no_grad():
        logits = layer(x[run.test])
        return (torch.sigmoid(logits) if multilabel else torch.softmax(logits, dim=1)).numpy()


@pytest.mark.parametrize("multilabel", [False, True])
def test_the_faithful_protocol_equals_archs_loop(multilabel):
    x, y = blobs()
    runs = folds(len(y), 4)
    runs[0] = Run(runs[0].train[:-3], runs[0].valid, runs[0].test)  # another last batch than its neighbours
    runs[2] = Run(runs[2].train[:40], runs[2].valid, runs[2].test)  # fewer steps
    if multilabel:
        y = np.eye(4, dtype=np.int64)[y] | (np.random.default_rng(1).random((len(y), 4)) < 0.2)
    found = fit_linear([x] * 4, y, runs, standardize=False, protocol="faithful", **SETTINGS)
    for r, (run, fit) in enumerate(zip(runs, found, strict=True)):
        assert fit.epoch == SETTINGS["epochs"]
        np.testing.assert_allclose(fit.test_scores, as_arch_does(x, y, run, r, **SETTINGS), atol=1e-5)


def test_the_faithful_protocol_ignores_validation_and_survives_few_steps():
    x, y = blobs()
    run = folds(len(y), 4)[0]
    other = Run(run.train, run.test, run.test)
    settings = {**SETTINGS, "standardize": False, "protocol": "faithful", "epochs": 2, "batch_clips": 64}  # 4 steps
    first, second = (fit_linear([x], y, [it], **settings)[0].test_scores for it in (run, other))
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(first).all()


def test_archs_learning_rate_starts_at_zero_and_never_falls_below():
    factor = archs_schedule(100, 0.1)
    assert [factor(0), factor(5), factor(10), factor(55), factor(100), factor(130)] == [0, 0.5, 1, 0.5, 0, 0]
    assert archs_schedule(9, 0.1)(0) == 1  # no whole step of a rise


def test_runs_of_two_encoders_read_their_own_matrix():
    x, y = blobs()
    runs = folds(len(y), 4)[:2]
    other = x[:, ::-1].copy()
    settings = {**SETTINGS, "standardize": True}
    together = fit_linear([x, other], y, runs, **settings)
    shared = fit_linear([other, other], y, runs, **settings)
    np.testing.assert_allclose(together[1].test_scores, shared[1].test_scores, atol=1e-6)
    assert not np.allclose(together[0].test_scores, shared[0].test_scores, atol=1e-3)


def test_a_feature_that_is_constant_in_training_is_only_shifted():
    x, y = blobs()
    run = folds(len(y), 4)[0]
    x[:, 3] = 0.1
    x[run.test[0], 3] = 0.2
    assert np.isfinite(fit_linear([x], y, [run], standardize=True, **SETTINGS)[0].test_scores).all()


def test_a_class_that_occurs_only_in_test_is_scored():
    x, y = blobs()
    run = folds(len(y), 4)[0]
    y[run.test[0]] = 4
    assert fit_linear([x], y, [run], standardize=False, **SETTINGS)[0].test_scores.shape == (len(run.test), 5)


def test_several_labels_a_clip():
    x, y = blobs()
    run = folds(len(y), 4)[0]
    fit = fit_linear([x], np.eye(4, dtype=np.int64)[y], [run], standardize=False, **{**SETTINGS, "epochs": 30})[0]
    assert (fit.test_scores.argmax(axis=1) == y[run.test]).mean() > 0.7


def test_an_epoch_holds_every_clip_once_in_batches_of_almost_equal_size():
    for size in (70, 64):
        batches = equal_batches(size, 5)
        assert sorted(np.concatenate(batches)) == list(range(size))
        assert {len(batch) for batch in batches} <= {size // 5, size // 5 + 1}


def test_the_learning_rate_rises_then_falls_to_zero():
    factor = linear_schedule(100, 0.1)
    assert [factor(0), factor(9), factor(10), factor(55)] == [0.1, 1.0, 1.0, 0.5]
    assert factor(99) == pytest.approx(1 / 90)
