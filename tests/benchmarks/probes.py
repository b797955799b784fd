"""Speed of the probes: many trained as one batched problem, and one after another in plain PyTorch."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from doppelgangers.evaluation.linear import Run, fit_linear, linear_schedule
from doppelgangers.evaluation.mlp import fit_mlp, grid, network
from tests.benchmarks.measure import COMPARED, figure, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
HEADER = ("", "ours", "one by one", *COMPARED, "accuracy", "one by one")
FOLDS = 5
LINEAR = {"epochs": 10, "batch_clips": 32, "learning_rate": 1e-3, "weight_decay": 0.01, "warmup": 0.1, "seed": 0}
GRID = {
    "hidden": [1, 2],
    "inits": ["xavier_uniform", "xavier_normal"],
    "learning_rates": [3.2e-3, 1e-3, 3.2e-4, 1e-4],
    "tried": 8,
}
MLP = {"width": 1024, "batch_clips": 1024, "max_epochs": 9, "check_every_epochs": 3, "dropout": 0.1, "seed": 0}


def blobs(clips: int, dimension: int, classes: int, spread: float) -> tuple[np.ndarray, np.ndarray, list[Run]]:
    """Features of normal noise around a centre for each class, the classes, and a run for each fold."""
    rng = np.random.default_rng(0)
    y = np.arange(clips) % classes
    x = rng.standard_normal((clips, dimension)) + spread * rng.standard_normal((classes, dimension))[y]
    folds = np.array_split(rng.permutation(clips), FOLDS)
    turns = [folds[k:] + folds[:k] for k in range(FOLDS)]
    return x.astype(np.float32), y, [Run(np.concatenate(train), valid, test) for test, valid, *train in turns]


def compare(title: str, name: str, work: int, ways: list[Callable[[], float]], repeats: int) -> None:
    """Time two ways to an accuracy in turn, and print the speed, `work` a second, and the accuracy of both."""
    accuracy = {}

    def speed(way: Callable[[], float]) -> float:
        return work / seconds(lambda: accuracy.update({way: way()}))

    cells = in_turn(lambda: speed(ways[0]), lambda: speed(ways[1]), repeats)
    print_table(title, HEADER, [[name, *cells, *(figure(accuracy[way]) for way in ways)]])


def linear(repeats: int) -> None:
    """All folds as one batched problem, and one fold after another."""
    clips, dimension, classes = 2000, 512, 50
    x, y, runs = blobs(clips, dimension, classes, spread=0.2)

    def ours() -> float:
        fits = fit_linear([x] * FOLDS, y, runs, standardize=False, **LINEAR)
        return np.mean([share_right(fit.test_scores, y[run.test]) for fit, run in zip(fits, runs, strict=True)])

    def one_by_one() -> float:
        return np.mean([share_right(linear_alone(x, y, run, **LINEAR), y[run.test]) for run in runs])

    title = f"probe: folds per second, {FOLDS} folds of {clips} x {dimension} features, {LINEAR['epochs']} epochs"
    compare(title, "fit_linear", FOLDS, [ours, one_by_one], repeats)


def mlp(repeats: int) -> None:
    """All members of a grid as one batched problem, and one after another."""
    clips, dimension, classes = 1000, 512, 10
    x, y, (run, *_) = blobs(clips, dimension, classes, spread=0.3)
    search = {"groups": [0], "metric": "accuracy", "patience_checks": MLP["max_epochs"], "standardize": False}

    def ours() -> float:
        return share_right(fit_mlp([x], y, [run], **search, **GRID, **MLP)[0].test_scores, y[run.test])

    def one_by_one() -> float:
        tried = [mlp_alone(x, y, run, setting, **MLP) for setting in grid(**GRID)]
        return share_right(max(tried, key=lambda pair: pair[0])[1], y[run.test])

    title = f"mlp: models per second, a grid of {GRID['tried']}, {clips} x {dimension} features, {MLP['max_epochs']} epochs"
    compare(f"{title}, width {MLP['width']}", "fit_mlp", GRID["tried"], [ours, one_by_one], repeats)


def share_right(scores: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(scores.argmax(axis=1) == y))


def linear_alone(
    x: np.ndarray,
    y: np.ndarray,
    run: Run,
    *,
    epochs: int,
    batch_clips: int,
    learning_rate: float,
    weight_decay: float,
    warmup: float,
    seed: int,
) -> np.ndarray:
    """Test scores of one fold by the same protocol, as a plain loop over a linear layer."""
    torch.manual_seed(seed)
    x, y = torch.tensor(x, device=DEVICE), torch.tensor(y, device=DEVICE)
    train, valid, test = (torch.tensor(rows, device=DEVICE) for rows in (run.train, run.valid, run.test))
    layer = torch.nn.Linear(x.shape[1], int(y.max()) + 1, device=DEVICE)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = LambdaLR(optimizer, linear_schedule(epochs * -(-len(train) // batch_clips), warmup))
    best = torch.inf
    for _ in range(epochs):
        for rows in train[torch.randperm(len(train), device=DEVICE)].split(batch_clips):
            optimizer.zero_grad()
            cross_entropy(layer(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            loss = cross_entropy(layer(x[valid]), y[valid]).item()
            if loss < best:
                best, scores = loss, torch.softmax(layer(x[test]), dim=1)
    return scores.cpu().numpy()


def mlp_alone(
    x: np.ndarray,
    y: np.ndarray,
    run: Run,
    setting,
    *,
    width: int,
    batch_clips: int,
    max_epochs: int,
    check_every_epochs: int,
    dropout: float,
    seed: int,
) -> tuple[float, np.ndarray]:
    """Best validation accuracy and test scores of one setting by the same protocol, as a plain loop."""
    torch.manual_seed(seed)
    x, y = torch.tensor(x, device=DEVICE), torch.tensor(y, device=DEVICE)
    train, valid, test = (torch.tensor(rows, device=DEVICE) for rows in (run.train, run.valid, run.test))
    model = network(setting, x.shape[1], width, int(y.max()) + 1, dropout, seed).to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), lr=setting.learning_rate)
    best, kept = -1.0, None
    for epoch in range(1, max_epochs + 1):
        model.train()
        for rows in train[torch.randperm(len(train), device=DEVICE)].split(batch_clips):
            optimizer.zero_grad()
            cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        if epoch % check_every_epochs == 0:
            model.eval()
            with torch.no_grad():
                accuracy = (model(x[valid]).argmax(dim=1) == y[valid]).float().mean().item()
            if accuracy > best:
                best, kept = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    with torch.no_grad():
        return best, torch.softmax(model.eval()(x[test]), dim=1).cpu().numpy()
