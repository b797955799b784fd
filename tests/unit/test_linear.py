import numpy as np
import pytest
import torch

from doppelgangers.linear import Run, batches, fit_linear, linear_schedule

SETTINGS = dict(epochs=6, batch_clips=16, learning_rate=0.01, weight_decay=0.01, warmup=0.1, seed=3)


def blobs(n=150, dimension=8, classes=4):
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n)
    return (rng.standard_normal((n, dimension)) + 2 * np.eye(classes, dimension)[y]).astype(np.float32), y


def folds(n, k):
    fold = np.arange(n) % k
    return [
        Run(np.flatnonzero((fold != i) & (fold != (i + 1) % k)), *(np.flatnonzero(fold == j % k) for j in (i + 1, i)))
        for i in range(k)
    ]


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


def test_several_labels_a_clip():
    x, y = blobs()
    fit = fit_linear([x], np.eye(4, dtype=np.int64)[y], [folds(len(y), 4)[0]], standardize=False, **{**SETTINGS, "epochs": 30})[
        0
    ]
    test = folds(len(y), 4)[0].test
    assert (fit.test_scores.argmax(axis=1) == y[test]).mean() > 0.7


def test_an_epoch_holds_every_clip_once_in_batches_of_almost_equal_size():
    generators = [np.random.default_rng(i) for i in range(2)]
    epoch = list(batches([70, 64], 5, generators))
    assert len(epoch) == 5
    for r, size in enumerate((70, 64)):
        assert sorted(np.concatenate([step[r] for step in epoch])) == list(range(size))
        assert {len(step[r]) for step in epoch} <= {size // 5, size // 5 + 1}


def test_the_learning_rate_rises_then_falls_to_zero():
    factor = linear_schedule(100, 0.1)
    assert [factor(0), factor(9), factor(10), factor(55)] == [0.1, 1.0, 1.0, 0.5]
    assert factor(99) == pytest.approx(1 / 90)
