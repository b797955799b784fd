"""Speed of the linear probes: many trained as one batched problem, and one after another in plain PyTorch."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from doppelgangers.evaluation.linear import LinearProtocol, fit_linear, linear_schedule
from doppelgangers.evaluation.runs import Run
from tests.benchmarks.measure import COMPARED, figure, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
HEADER = ("", "ours", "one by one", *COMPARED, "accuracy", "one by one")
FOLDS = 5
PROBE = LinearProtocol(
    epochs=10,
    batch_clips=32,
    learning_rate=1e-3,
    weight_decay=0.01,
    warmup=0.1,
    standardize=False,
    seed=0,
    protocol="corrected",
)


def blobs(clips: int, dimension: int, classes: int, spread: float) -> tuple[np.ndarray, np.ndarray, list[Run]]:
    """Features of normal noise around a centre for each class, the classes, and a run for each fold."""
    rng = np.random.default_rng(0)
    y = np.arange(clips) % classes
    x = rng.standard_normal((clips, dimension)) + spread * rng.standard_normal((classes, dimension))[y]
    folds = np.array_split(rng.permutation(clips), FOLDS)
    turns = [folds[k:] + folds[:k] for k in range(FOLDS)]
    return x.astype(np.float32), y, [Run(np.concatenate(train), valid, test) for test, valid, *train in turns]


def linear(repeats: int) -> None:
    """All folds as one batched problem, and one fold after another."""
    clips, dimension, classes = 2000, 512, 50
    x, y, runs = blobs(clips, dimension, classes, spread=0.2)

    def ours() -> list[np.ndarray]:
        return [fit.test_scores for fit in fit_linear([x] * FOLDS, y, runs, probe=PROBE)]

    def one_by_one() -> list[np.ndarray]:
        return [linear_alone(x, y, run, PROBE) for run in runs]

    accuracy = {}

    def speed(way: Callable[[], list[np.ndarray]]) -> float:
        """Folds per second; the accuracy is kept too."""
        found: list[np.ndarray] = []
        rate = FOLDS / seconds(lambda: found.extend(way()))
        accuracy[way] = np.mean(
            [np.mean(scores.argmax(axis=1) == y[run.test]) for scores, run in zip(found, runs, strict=True)]
        )
        return rate

    cells = in_turn(lambda: speed(ours), lambda: speed(one_by_one), repeats)
    title = f"probe: folds per second, {FOLDS} folds of {clips} x {dimension} features, {PROBE.epochs} epochs"
    print_table(title, HEADER, [["fit_linear", *cells, figure(accuracy[ours]), figure(accuracy[one_by_one])]])


def linear_alone(x: np.ndarray, y: np.ndarray, run: Run, probe: LinearProtocol) -> np.ndarray:
    """Test scores of one fold by the same protocol, as a plain loop over a linear layer."""
    torch.manual_seed(probe.seed)
    x, y = torch.tensor(x, device=DEVICE), torch.tensor(y, device=DEVICE)
    train, valid, test = (torch.tensor(rows, device=DEVICE) for rows in (run.train, run.valid, run.test))
    layer = torch.nn.Linear(x.shape[1], int(y.max()) + 1, device=DEVICE)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=probe.learning_rate, weight_decay=probe.weight_decay)
    schedule = LambdaLR(optimizer, linear_schedule(probe.epochs * -(-len(train) // probe.batch_clips), probe.warmup))
    best = torch.inf
    for _ in range(probe.epochs):
        for rows in train[torch.randperm(len(train), device=DEVICE)].split(probe.batch_clips):
            optimizer.zero_grad()
            cross_entropy(layer(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            loss = cross_entropy(layer(x[valid]), y[valid]).item()
            if loss < best:
                best, scores = loss, torch.softmax(layer(x[test]), dim=1)
    return scores.cpu().numpy()
