"""Linear probes, many trained together as one batched problem.

The runs of a task (its folds, times the seeds of an encoder) share a shape, so their weights stack into one tensor
(R, C, D): a step of all of them is one batched matrix product and one AdamW update, which is element-wise and so
exactly what each run alone would do. The gradient of one layer is written out: that is faster than autograd.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from tqdm import tqdm

from doppelgangers.evaluation.runs import Fit, Inputs, Run, plain_batches

STACKED_RUNS = 5  # trained together: with more, their weights and moments leave the processor's cache
SCORED_ROWS = 128  # of each run at once, where nothing is trained: few enough for a cache


@dataclasses.dataclass(frozen=True)
class LinearProtocol:
    """How linear probes are trained.

    Attributes:
        epochs, batch_clips, weight_decay: of the training with AdamW.
        learning_rate: the largest one.
        warmup: share of the steps in which the learning rate rises.
        standardize: scale features to zero mean and unit variance of each run's training rows first.
        seed: of the initial weights (torch's default for a linear layer) and of the order of the clips. Run r of any
            list draws from (seed, r).
        protocol: `corrected` or `faithful`, see `fit_linear`.
    """

    epochs: int
    batch_clips: int
    learning_rate: float
    weight_decay: float
    warmup: float
    standardize: bool
    seed: int
    protocol: Literal["corrected", "faithful"]


def fit_linear(
    features: list[np.ndarray], targets: np.ndarray, runs: list[Run], *, probe: LinearProtocol, title: str = "probe"
) -> list[Fit]:
    """Train one linear layer per run with AdamW and ARCH's protocol, which comes in two forms.

    `corrected` is what ARCH means: the learning rate rises linearly over the first `warmup` of the steps and falls
    linearly to 0 at the last, and the epoch of the lowest validation loss is scored. An epoch is cut into the same number
    of batches for every run, ceil(largest training set / batch_clips), as equal as can be.

    `faithful` is what ARCH's code does (classification_model.py): batches of `batch_clips` and a smaller last one; the
    learning rate starts at 0 and advances once more after each epoch, so that it is 0 well before the end; the last epoch
    is scored, whatever validation says.

    Args:
        features: one matrix (N, D) per run; runs may share one.
        targets: class indices (N,) for one label a clip (cross-entropy), or 0/1 (N, C) for several (binary
            cross-entropy).
        runs: row indices, see `Run`.
        probe: the protocol.
        title: of the progress bar.

    Returns:
        one `Fit` per run, in order.
    """
    inputs = Inputs(features, runs, standardize=probe.standardize)
    y = torch.as_tensor(targets, dtype=torch.float32 if targets.ndim == 2 else torch.int64, device=inputs.device)
    corrected = probe.protocol == "corrected"
    steps = [math.ceil(len(run.train) / probe.batch_clips) for run in runs]
    if corrected:
        steps = [max(steps)] * len(runs)
    fits: dict[int, Fit] = {}
    for members in alike(runs, steps):
        count = steps[next(iter(members))]
        sizes = [len(run.train) for run in members.values()]
        batches = [equal_batches(n, count) if corrected else plain_batches(n, probe.batch_clips) for n in sizes]
        factor = (linear_schedule if corrected else archs_schedule)(probe.epochs * count, probe.warmup)
        stack = Stack(inputs, y, runs=members, batches=batches, probe=probe)
        for epoch in tqdm(range(probe.epochs), desc=title, unit="epoch"):
            begun = epoch * (count if corrected else count + 1)
            stack.train([probe.learning_rate * factor(begun + step) for step in range(count)])
            if corrected:
                stack.keep_best(epoch + 1)
        fits |= stack.fits()
    return [fits[r] for r in range(len(runs))]


def alike(runs: list[Run], steps: list[int]) -> Iterator[dict[int, Run]]:
    """Runs of as many steps, which can be trained together, by their number; not too many at once."""
    for count in sorted(set(steps)):
        numbers = [r for r in range(len(runs)) if steps[r] == count]
        for begin in range(0, len(numbers), STACKED_RUNS):
            yield {r: runs[r] for r in numbers[begin : begin + STACKED_RUNS]}


def linear_schedule(total: int, warmup: float) -> Callable[[int], float]:
    """Factor of the learning rate at step i: up over the first `warmup * total` steps, then down to 0 at `total`."""
    rise = max(1, round(warmup * total))
    return lambda step: min((step + 1) / rise, (total - step) / max(1, total - rise))


def archs_schedule(total: int, warmup: float) -> Callable[[int], float]:
    """The same as ARCH has it: from 0, never below; without a rise (where ARCH divides by 0) if that has no whole step."""
    rise = int(warmup * total)
    return lambda step: step / rise if step < rise else max(0.0, (total - step) / max(1, total - rise))


def equal_batches(size: int, steps: int) -> list[np.ndarray]:
    """Positions of an epoch of `size` clips in `steps` batches, as equal as can be."""
    return np.array_split(np.arange(size), steps)


def pad(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack lists of different length: indices (R, L), filled up with 0, and weights (R, L) of a mean that skips these."""
    length = max(map(len, rows))
    index = np.stack([np.pad(r, (0, length - len(r))) for r in rows]).astype(np.int64)
    mask = np.stack([np.arange(length) < len(r) for r in rows]).astype(np.float32)
    return index, mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)


class Stack:
    """Runs that take the same number of steps: their weights (R, C, D) and biases (R, C), trained by one AdamW.

    Args:
        inputs: features of all runs.
        y: targets of all clips.
        runs: the runs of this stack, by their number among all.
        batches: each run's positions of every step of an epoch.
        probe: the protocol.
    """

    def __init__(
        self,
        inputs: Inputs,
        y: torch.Tensor,
        *,
        runs: dict[int, Run],
        batches: list[list[np.ndarray]],
        probe: LinearProtocol,
    ) -> None:
        self.inputs, self.y, self.members, self.runs, self.epochs = inputs, y, list(runs), list(runs.values()), probe.epochs
        self.multilabel = y.ndim == 2
        index, share = pad([positions for run in batches for positions in run])
        self.positions = index.reshape(len(runs), -1, index.shape[1])  # (R, steps, B)
        self.share = self.to_device(share).view(*self.positions.shape, 1).transpose(0, 1).contiguous()
        self.generators = [np.random.default_rng([probe.seed, r]) for r in runs]
        dimension, classes = inputs.dimension, y.shape[1] if self.multilabel else int(y.max()) + 1
        drawn = np.stack([g.uniform(-1, 1, (dimension + 1, classes)) for g in self.generators]) / math.sqrt(dimension)
        start = self.to_device(drawn.astype(np.float32))
        self.parameters = [start[:, :-1].mT.contiguous(), start[:, -1].contiguous()]
        for parameter in self.parameters:
            parameter.grad = torch.zeros_like(parameter)
        # Each step has a learning rate of its own.
        self.optimizer = torch.optim.AdamW(self.parameters, lr=0.0, weight_decay=probe.weight_decay, fused=True)
        self.best = [parameter.clone() for parameter in self.parameters]
        self.best_loss = torch.full((len(runs),), torch.inf, device=inputs.device)
        self.best_epoch = torch.zeros(len(runs), dtype=torch.int64, device=inputs.device)

    @torch.no_grad()
    def train(self, rates: list[float]) -> None:
        """One epoch; `rates` is the learning rate of every step."""
        orders = [run.train[g.permutation(len(run.train))] for run, g in zip(self.runs, self.generators, strict=True)]
        rows = np.stack([order[positions] for order, positions in zip(orders, self.positions, strict=True)]).swapaxes(0, 1)
        targets, located = self.y[self.to_device(rows)], self.inputs.locate(self.members, rows)
        weight, bias = self.parameters
        for rate, at, y, share in zip(rates, located, targets, self.share, strict=True):
            x = self.inputs.read(self.members, at)
            logits = self.logits(x)
            if self.multilabel:  # the gradient of the mean loss by the logits
                error = logits.sigmoid_().sub_(y).mul_(share / y.shape[-1])
            else:
                error = torch.softmax(logits, dim=-1).mul_(share).scatter_add_(-1, y[..., None], -share)
            torch.bmm(error.mT, x, out=weight.grad)
            torch.sum(error, dim=1, out=bias.grad)
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.step()

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Features (R, B, D) -> (R, B, C)."""
        weight, bias = self.parameters
        return torch.baddbmm(bias[:, None], x, weight.mT)

    @torch.no_grad()
    def keep_best(self, epoch: int) -> None:
        """Keep the weights of the runs whose validation loss has never been lower."""
        rows, weights = pad([run.valid for run in self.runs])
        share = self.to_device(weights)
        loss = torch.zeros_like(self.best_loss)
        for begin in range(0, rows.shape[1], SCORED_ROWS):
            part = slice(begin, begin + SCORED_ROWS)
            loss += (self.losses(rows[:, part]) * share[:, part]).sum(dim=1)
        better = loss < self.best_loss
        self.best_loss = torch.where(better, loss, self.best_loss)
        self.best_epoch = torch.where(better, epoch, self.best_epoch)
        for best, parameter in zip(self.best, self.parameters, strict=True):
            best[better] = parameter[better]

    def to_device(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, device=self.inputs.device)

    def losses(self, rows: np.ndarray) -> torch.Tensor:
        """Loss (R, B) of each of the rows (R, B)."""
        y = self.y[self.to_device(rows)]
        logits = self.logits(self.inputs.read(self.members, self.inputs.locate(self.members, rows)))
        if self.multilabel:
            return binary_cross_entropy_with_logits(logits, y, reduction="none").mean(dim=-1)
        return cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(rows.shape)

    def fits(self) -> dict[int, Fit]:
        """Test scores of each run: of the kept weights, or of the last where none were kept."""
        fits: dict[int, Fit] = {}
        for i, (r, run) in enumerate(zip(self.members, self.runs, strict=True)):
            epoch = int(self.best_epoch[i])
            weight, bias = self.best if epoch else self.parameters
            logits = torch.addmm(bias[i], self.inputs.read_one(r, run.test), weight[i].T)
            scores = torch.sigmoid(logits) if self.multilabel else torch.softmax(logits, dim=-1)
            fits[r] = Fit(scores.cpu().numpy(), epoch or self.epochs)
        return fits
