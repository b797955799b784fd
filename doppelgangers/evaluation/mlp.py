"""HEAR's shallow MLP on frozen features, or its linear probe: a grid of settings, searched by validation.

Source: heareval/predictions/task_predictions.py.
"""

import dataclasses
import math
import random
from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
import torch
from sklearn.model_selection import ParameterGrid
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from tqdm import tqdm

from doppelgangers.evaluation.metrics import score
from doppelgangers.evaluation.runs import Fit, Inputs, Run, plain_batches

GRID_SEED = 42  # HEAR's
INITS = {"xavier_uniform": torch.nn.init.xavier_uniform_, "xavier_normal": torch.nn.init.xavier_normal_}
SCORED_ROWS = 4096  # at once


@dataclasses.dataclass(frozen=True)
class MlpProtocol:
    """How MLPs are searched and trained.

    Attributes:
        hidden, learning_rates, inits: the grid: numbers of hidden layers (0: a linear probe), learning rates, and of `INITS`.
        tried: number of settings of the shuffled grid that are tried.
        width: of a hidden layer.
        dropout: probability.
        batch_clips: of a batch; the last of an epoch is smaller.
        max_epochs: after which training ends at the latest.
        check_every_epochs: epochs between two validations.
        patience_checks: validations without a gain after which training ends.
        standardize: scale features to zero mean and unit variance of each run's training rows first.
        seed: of the initial weights, dropout and the order of the clips.
        protocol: `faithful` trains on the clips in the order of `Run.train` in every epoch, as HEAR's code does (see
            `runs.hear_order`); `corrected` shuffles.
    """

    hidden: Sequence[int]
    learning_rates: Sequence[float]
    inits: Sequence[str]
    tried: int
    width: int
    dropout: float
    batch_clips: int
    max_epochs: int
    check_every_epochs: int
    patience_checks: int
    standardize: bool
    seed: int
    protocol: Literal["corrected", "faithful"]

    def linear(self) -> "MlpProtocol":
        """HEAR's linear probe: no hidden layer, every learning rate with every initialisation."""
        return dataclasses.replace(self, hidden=[0], tried=len(self.learning_rates) * len(self.inits))


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


class BatchNorm1d(torch.nn.BatchNorm1d):
    """Batch norm that trains on a batch of one clip too, the last of some epochs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize x (B, H). One clip is its own mean, so that the bias is left; it has no variance to keep."""
        if self.training and len(x) == 1:
            return (x - x) * self.weight + self.bias
        return super().forward(x)


def network(setting: Setting, *, dimension: int, width: int, classes: int, dropout: float, seed: int) -> torch.nn.Sequential:
    """(N, dimension) -> logits (N, classes), with initial weights drawn from the seed.

    The hidden layers have no bias, unlike HEAR's: batch norm takes it away, and its gradient is rounding noise.
    """
    generator = torch.Generator().manual_seed(seed)
    hidden: list[torch.nn.Module] = []
    linear, size = [], dimension
    for _ in range(setting.hidden):
        linear.append(torch.nn.utils.skip_init(torch.nn.Linear, size, width, bias=False))
        hidden += [linear[-1], BatchNorm1d(width), torch.nn.Dropout(dropout), torch.nn.ReLU()]
        size = width
    output = torch.nn.utils.skip_init(torch.nn.Linear, size, classes)
    torch.nn.init.uniform_(output.bias, -1 / math.sqrt(size), 1 / math.sqrt(size), generator=generator)
    for i, layer in enumerate([*linear, output]):
        gain = torch.nn.init.calculate_gain("relu" if i else "linear")  # of the activation before it
        INITS[setting.init](layer.weight, gain=gain, generator=generator)
    return torch.nn.Sequential(*hidden, output).eval()


def fit_mlp(
    features: list[np.ndarray],
    targets: np.ndarray,
    runs: list[Run],
    *,
    groups: Sequence[Hashable],
    metric: str,
    names: Sequence | None = None,
    probe: MlpProtocol,
    title: str = "probe",
) -> list[Fit]:
    """Search the grid in the first run of each group, train its other runs with the setting that validates best.

    Linear, batch norm, dropout, ReLU per hidden layer, then linear; Adam without weight decay or schedule; cross-entropy,
    or binary cross-entropy for several labels a clip. The checkpoint that validates best is scored.

    Args:
        features: one matrix (N, D) per run; runs may share one.
        targets: class indices (N,), or 0/1 (N, C) for several labels a clip.
        runs: row indices, see `runs.Run`.
        groups: of each run; runs of one encoder are a group.
        metric: of `metrics.METRICS`, by which validation judges; higher is better.
        names: label value of each class, see `metrics.score`.
        probe: the protocol.
        title: of the progress bar.

    Returns:
        one `Fit` per run, in order, with the setting.
    """
    trainer = Trainer(Inputs(features, runs, standardize=probe.standardize), targets, runs, metric, names, probe)
    settings = grid(probe.hidden, probe.inits, probe.learning_rates, probe.tried)
    fits: list[Fit] = []
    chosen: dict[Hashable, int] = {}  # place in the grid
    for run, group in enumerate(groups):
        places = tqdm([chosen[group]] if group in chosen else range(len(settings)), desc=f"{title} {run}", unit="model")
        trained = {place: trainer.train(run, settings[place], place) for place in places}
        chosen[group] = max(trained, key=lambda place: trained[place][0])  # the first of equals
        fits.append(trained[chosen[group]][1])
    return fits


@dataclasses.dataclass
class Model:
    """A network in training and its best checkpoint so far."""

    network: torch.nn.Sequential
    best: float = -math.inf
    epoch: int = 0
    idle: int = 0  # checks since the best one
    checkpoint: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)

    def check(self, value: float, epoch: int) -> None:
        """Take note of a validation score; nan is no gain."""
        self.idle += 1
        if not self.checkpoint or value > self.best:
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
    probe: MlpProtocol

    def train(self, run: int, setting: Setting, place: int) -> tuple[float, Fit]:
        """Train a model of a run with a setting, whose place in the grid is given, until its patience ends.

        Returns:
            the validation score of the best checkpoint, and what that says of the test rows.
        """
        probe, device, rows = self.probe, self.inputs.device, self.runs[run]
        weights_seed, dropout_seed = map(int, np.random.SeedSequence([probe.seed, run, place]).generate_state(2))
        orders = np.random.default_rng([probe.seed, run])
        classes = self.targets.shape[1] if self.targets.ndim == 2 else int(self.targets.max()) + 1
        size = {"dimension": self.inputs.dimension, "width": probe.width, "classes": classes}
        layers = network(setting, **size, dropout=probe.dropout, seed=weights_seed)
        model = Model(layers.to(device))
        optimizer = torch.optim.Adam(layers.parameters(), lr=setting.learning_rate, fused=True)
        every = min(probe.check_every_epochs, probe.max_epochs)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):  # dropout draws from torch's own generator
            torch.manual_seed(dropout_seed)
            for epoch in range(1, probe.max_epochs + 1):
                layers.train()
                order = orders.permutation(rows.train) if probe.protocol == "corrected" else rows.train
                for batch in plain_batches(len(order), probe.batch_clips):
                    optimizer.zero_grad()
                    self.loss(layers, run, order[batch]).backward()
                    optimizer.step()
                if epoch % every == 0:
                    scores = self.predict(layers, run, rows.valid)
                    model.check(score(self.targets[rows.valid], scores, [self.metric], self.names)[self.metric], epoch)
                    if model.idle >= probe.patience_checks:
                        break
        layers.load_state_dict(model.checkpoint)
        return model.best, Fit(self.predict(layers, run, rows.test), model.epoch, str(setting))

    def loss(self, layers: torch.nn.Sequential, run: int, rows: np.ndarray) -> torch.Tensor:
        """Mean loss of rows (B,) of a run."""
        logits = layers(self.inputs.read_one(run, rows))
        y = torch.as_tensor(self.targets[rows], device=self.inputs.device)
        return binary_cross_entropy_with_logits(logits, y.float()) if y.ndim == 2 else cross_entropy(logits, y)

    @torch.no_grad()
    def predict(self, layers: torch.nn.Sequential, run: int, rows: np.ndarray) -> np.ndarray:
        """Class scores (N, C) of rows (N,) of a run."""
        layers.eval()
        parts = [rows[begin : begin + SCORED_ROWS] for begin in range(0, len(rows), SCORED_ROWS)]
        logits = torch.cat([layers(self.inputs.read_one(run, part)) for part in parts])
        return (torch.sigmoid(logits) if self.targets.ndim == 2 else torch.softmax(logits, dim=1)).cpu().numpy()
