"""HEAR's shallow MLP on frozen features: a grid of settings, searched by validation, trained as one batched problem.

Source: heareval/predictions/task_predictions.py. Each model is a plain `torch.nn.Sequential`; a training step stacks the
weights of those that are trained together, so that a layer of all of them is one batched matrix product.
"""

import dataclasses
import math
import random
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from sklearn.model_selection import ParameterGrid
from torch.nn import functional
from tqdm import tqdm

from doppelgangers.evaluation.linear import Fit, Inputs, Run, pad, plain_batches
from doppelgangers.evaluation.metrics import score
from doppelgangers.evaluation.stacked import forward

GRID_SEED = 42  # HEAR's
INITS = {"xavier_uniform": torch.nn.init.xavier_uniform_, "xavier_normal": torch.nn.init.xavier_normal_}
# Bounds the memory of a GPU: about 1 GB for two hidden layers of 1024 and batches of 1024. A CPU, which two of this width
# keep busy, is slowed by the memory that more take (docs/benchmarks.md).
MODELS_TOGETHER = {"cuda": 8, "cpu": 2}
SCORED_ROWS = 4096  # at once


@dataclasses.dataclass(frozen=True)
class Setting:
    """One point of the grid."""

    hidden: int
    init: str
    learning_rate: float

    def __str__(self) -> str:
        return f"hidden={self.hidden} lr={self.learning_rate:g} init={self.init}"


def grid(hidden: Sequence[int], inits: Sequence[str], learning_rates: Sequence[float], tried: int) -> list[Setting]:
    """The first `tried` settings in HEAR's order: scikit-learn's grid, shuffled by Python with seed 42."""
    points = list(ParameterGrid({"hidden": hidden, "init": inits, "learning_rate": learning_rates}))
    random.Random(GRID_SEED).shuffle(points)
    return [Setting(**point) for point in points[:tried]]


def network(setting: Setting, dimension: int, width: int, classes: int, dropout: float, seed: int) -> torch.nn.Sequential:
    """(N, dimension) -> logits (N, classes), with initial weights drawn from the seed.

    The hidden layers have no bias, unlike HEAR's: batch norm takes it away, and its gradient is rounding noise.
    """
    generator = torch.Generator().manual_seed(seed)
    layers, size = [], dimension
    for _ in range(setting.hidden):
        linear = torch.nn.utils.skip_init(torch.nn.Linear, size, width, bias=False)
        layers += [linear, torch.nn.BatchNorm1d(width), torch.nn.Dropout(dropout), torch.nn.ReLU()]
        size = width
    output = torch.nn.utils.skip_init(torch.nn.Linear, size, classes)
    torch.nn.init.uniform_(output.bias, -1 / math.sqrt(size), 1 / math.sqrt(size), generator=generator)
    for i, layer in enumerate([*layers[::4], output]):
        gain = torch.nn.init.calculate_gain("relu" if i else "linear")  # of the activation before it
        INITS[setting.init](layer.weight, gain=gain, generator=generator)
    return torch.nn.Sequential(*layers, output).eval()


def fit_mlp(
    features: list[np.ndarray],
    targets: np.ndarray,
    runs: list[Run],
    *,
    groups: Sequence[Hashable],
    metric: str,
    names: Sequence | None = None,
    hidden: Sequence[int],
    width: int,
    learning_rates: Sequence[float],
    inits: Sequence[str],
    tried: int,
    batch_clips: int,
    max_epochs: int,
    check_every_epochs: int,
    patience_checks: int,
    dropout: float,
    standardize: bool,
    seed: int,
    protocol: str = "corrected",
    title: str = "probe",
) -> list[Fit]:
    """Search the grid in the first run of each group, train its other runs with the setting that validates best.

    Linear, batch norm, dropout, ReLU per hidden layer, then linear; Adam without weight decay or schedule; cross-entropy,
    or binary cross-entropy for several labels a clip. The checkpoint that validates best is scored.

    Args:
        features: one matrix (N, D) per run; runs may share one.
        targets: class indices (N,), or 0/1 (N, C) for several labels a clip.
        runs: row indices, see `linear.Run`.
        groups: of each run; runs of one encoder are a group.
        metric: of `metrics.METRICS`, by which validation judges; higher is better.
        names: label value of each class, see `metrics.score`.
        hidden, learning_rates, inits: the grid: numbers of hidden layers, learning rates, and of `INITS`.
        width: of a hidden layer.
        tried: number of settings of the shuffled grid that are tried.
        batch_clips: of a batch; the last of an epoch is smaller.
        max_epochs, check_every_epochs, patience_checks: validate every so many epochs, and stop after so many checks
            without a gain.
        dropout: probability.
        standardize: scale features to zero mean and unit variance of each run's training rows first.
        seed: of the initial weights, dropout and the order of the clips.
        protocol: `faithful` trains on the clips in the same order in every epoch, as HEAR's code does; `corrected` shuffles.
        title: of the progress bar.

    Returns:
        one `Fit` per run, in order, with the setting.
    """
    inputs = Inputs(features, runs, standardize)
    classes = targets.shape[1] if targets.ndim == 2 else int(targets.max()) + 1
    trainer = Trainer(inputs, targets, runs, metric, names, batch_clips, max_epochs, check_every_epochs, patience_checks)
    settings = grid(hidden, inits, learning_rates, tried)

    def model(r: int, setting: Setting) -> Model:
        entropy = np.random.SeedSequence([seed, r, settings.index(setting)]).generate_state(1)
        layers = network(setting, inputs.matrix.shape[1], width, classes, dropout, int(entropy[0])).to(inputs.device)
        return Model(r, setting, layers, np.random.default_rng([seed, r]) if protocol == "corrected" else None)

    first = {group: list(groups).index(group) for group in groups}
    searched = [model(r, setting) for r in first.values() for setting in settings]
    trainer.train(searched, seed, f"{title}: grid")
    best = {r: max((m for m in searched if m.run == r), key=lambda m: m.best) for r in first.values()}  # the first of equals
    others = [model(r, best[first[group]].setting) for r, group in enumerate(groups) if r not in best]
    trainer.train(others, seed, f"{title}: folds")
    chosen = best | {m.run: m for m in others}
    return [trainer.fit(chosen[r]) for r in range(len(runs))]


@dataclasses.dataclass
class Model:
    """A network in training: its run, setting, generator of orders, and its best checkpoint so far."""

    run: int
    setting: Setting
    network: torch.nn.Sequential
    orders: np.random.Generator | None
    best: float = -math.inf
    epoch: int = 0
    idle: int = 0  # checks since the best one
    checkpoint: dict[str, torch.Tensor] | None = None

    def check(self, value: float, epoch: int) -> None:
        """Take note of a validation score; nan is no gain."""
        self.idle += 1
        if self.checkpoint is None or value > self.best:
            self.best, self.epoch, self.idle = (-math.inf if math.isnan(value) else value), epoch, 0
            self.checkpoint = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}


@dataclasses.dataclass(frozen=True)
class Trainer:
    """What all models have in common, see `fit_mlp`."""

    inputs: Inputs
    targets: np.ndarray
    runs: list[Run]
    metric: str
    names: Sequence | None
    batch_clips: int
    max_epochs: int
    check_every_epochs: int
    patience_checks: int

    def train(self, models: list[Model], seed: int, title: str) -> None:
        """Train models of the same depth and number of steps together, each until its patience ends."""
        alike = {}
        for model in models:
            steps = math.ceil(len(self.runs[model.run].train) / self.batch_clips)
            alike.setdefault((model.setting.hidden, steps), []).append(model)
        for same in alike.values():
            together = MODELS_TOGETHER[self.inputs.device.type]
            for begin in range(0, len(same), together):
                self.train_together(same[begin : begin + together], seed, title)

    def train_together(self, models: list[Model], seed: int, title: str) -> None:
        """Train one stack of models; one that has stopped leaves it. Each ends with its best checkpoint."""
        groups = [{"params": list(model.network.parameters()), "lr": model.setting.learning_rate} for model in models]
        optimizer = torch.optim.Adam(groups, fused=True)
        generator = torch.Generator(self.inputs.device).manual_seed(seed)
        every = min(self.check_every_epochs, self.max_epochs)
        active = models
        for epoch in tqdm(range(1, self.max_epochs + 1), desc=title, unit="epoch"):
            for rows in self.batches(active):
                optimizer.zero_grad()
                self.loss(active, rows, generator).backward()
                optimizer.step()
            if epoch % every == 0:
                for model in active:
                    valid = self.runs[model.run].valid
                    found = score(self.targets[valid], self.predict(model, valid), [self.metric], self.names)
                    model.check(found[self.metric], epoch)
                active = [model for model in active if model.idle < self.patience_checks]
                if not active:
                    break
        for model in models:
            model.network.load_state_dict(model.checkpoint)
            model.network.requires_grad_(False).zero_grad()
            model.checkpoint = None

    def batches(self, models: list[Model]):
        """One epoch: for each step, a list with each model's rows."""
        orders = [self.runs[model.run].train for model in models]
        orders = [m.orders.permutation(order) if m.orders else order for m, order in zip(models, orders, strict=True)]
        return zip(*([order[b] for b in plain_batches(len(order), self.batch_clips)] for order in orders), strict=True)

    def loss(self, models: list[Model], rows: Sequence[np.ndarray], generator: torch.Generator) -> torch.Tensor:
        """Sum over the models of the mean loss of their rows."""
        members, device = [model.run for model in models], self.inputs.device
        even = len(set(map(len, rows))) == 1 < len(rows[0])
        padded, share = pad(list(rows))
        share = torch.as_tensor(share, device=device)
        x = self.inputs.read(members, self.inputs.locate(members, padded)).mT  # (M, D, B)
        logits = forward([model.network for model in models], x, None if even else share, generator)
        y = torch.as_tensor(self.targets[padded], device=device)
        if y.ndim == 3:
            each = functional.binary_cross_entropy_with_logits(logits, y.mT.float(), reduction="none").mean(dim=1)
        else:
            each = functional.cross_entropy(logits, y, reduction="none")
        return (each * share).sum()

    @torch.no_grad()
    def predict(self, model: Model, rows: np.ndarray) -> np.ndarray:
        """Class scores (N, C) of rows (N,)."""
        located = self.inputs.locate([model.run], rows[None]).split(SCORED_ROWS, dim=1)
        logits = torch.cat([model.network(self.inputs.read([model.run], part)[0]) for part in located])
        return (torch.sigmoid(logits) if self.targets.ndim == 2 else torch.softmax(logits, dim=1)).cpu().numpy()

    def fit(self, model: Model) -> Fit:
        return Fit(self.predict(model, self.runs[model.run].test), model.epoch, str(model.setting))
