"""history.csv, and the messages of a training while it runs."""

import csv
import dataclasses
import logging
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from doppelgangers.errors import UserError
from doppelgangers.files import replace
from doppelgangers.pretraining.diagnostics import dead_share, effective_rank
from doppelgangers.pretraining.learner import steps_of
from doppelgangers.pretraining.losses import TERMS
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.stopwatch import PARTS

AFFECTS_RESULTS = False  # it describes a training and may stop it, but does not change it

log = logging.getLogger(__name__)

COLLAPSED = -0.01  # uniformity; that of embeddings that are all the same is 0
NEARLY_COLLAPSED = -0.1  # the mean squared distance is about 0.05 then, and 2 on an even sphere; an untrained encoder has -0.76
UNRELATED = 1.9  # alignment; that of unrelated views on an even sphere is 2; voice has 1.8 at delta 0.25, up to 1.93 at 0.5
GAIN = 0.05  # of uniformity, within a window
WINDOW = 10  # rows


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the history. A share is one of the time since the row before.

    Attributes:
        step, pairs: done so far.
        align, uniform, loss: of the batch of that step.
        lr: learning rate of that step.
        pairs_per_s: since the row before.
        effective_rank, dead_share: of the embeddings of that step, as in `diagnostics`.
        wait_share: waiting for sounds.
        frontend_share, forward_share, backward_share: the parts of a step.
        source_share: making sounds, at the same time as the others.
    """

    step: int
    pairs: int
    align: float
    uniform: float
    loss: float
    lr: float
    pairs_per_s: float
    effective_rank: float
    dead_share: float
    wait_share: float
    frontend_share: float
    forward_share: float
    backward_share: float
    source_share: float


HISTORY = tuple(field.name for field in dataclasses.fields(Row))


def record(
    step: int,
    batch_pairs: int,
    terms: Iterable[float],
    lr: float,
    speed: float,
    spread: tuple[float, float],
    shares: Iterable[float],
) -> Row:
    """A row, of the `losses.TERMS`, the pairs per second, the spread (effective rank, dead share) and the shares, in order."""
    rates = lr, round(speed, 1)
    values: list[Any] = [step, step * batch_pairs, *terms, *rates, *spread, *(round(share, 3) for share in shares)]
    return Row(*values)


class Failed(UserError):
    """A training that cannot go on with its settings."""


def check_steps(name: str, first: int, steps: list[list[float]]) -> None:
    """Stop a training that has failed.

    Args:
        name: of the training.
        first: number of the first step.
        steps: of that step and of those after it: align, uniform and loss, and the largest magnitude in the state after it.

    Raises:
        Failed: naming the first step with a term or a state that is not finite or where all embeddings are alike, and its
            terms.
    """
    for step, (*row, largest) in enumerate(steps, first):
        place = f"{name}, step {step}: " + ", ".join(f"{term} {value:.4g}" for term, value in zip(TERMS, row, strict=True))
        wrong = [term for term, value in zip(TERMS, row, strict=True) if not math.isfinite(value)]
        if not wrong and not math.isfinite(largest):
            wrong = ["weights"]
        if wrong:
            raise Failed(
                f"{' and '.join(wrong)} became not finite ({place}); the learning rate is probably too high: lower "
                "pretrain.learning_rate and run it again, which begins from the beginning"
            )
        if row[1] > COLLAPSED:
            raise Failed(
                f"all embeddings are alike ({place}); delta may be too small or the learning rate too high: "
                "raise the delta or lower pretrain.learning_rate"
            )


def find_warnings(rows: list[Row]) -> dict[str, str]:
    """The paper's signs of failure that a training shows so far: kind -> message.

    "collapse" when the embeddings of the last row are nearly identical; "delta" when, on average over the last `WINDOW`
    rows, the two views of a pair were almost unrelated, and uniformity did not improve in return.

    Args:
        rows: of the history, in order.
    """
    found, last, window = {}, rows[-1], rows[-WINDOW:]
    place = f"step {last.step}: align {last.align:.3f}, uniform {last.uniform:.3f}"
    if last.uniform > NEARLY_COLLAPSED:
        found["collapse"] = (
            f"the embeddings are nearly identical ({place}, effective rank {last.effective_rank:.1f}): "
            "delta may be too small, or the terms of the loss unbalanced"
        )
    gain = window[0].uniform - min(row.uniform for row in window)
    if len(window) == WINDOW and sum(row.align for row in window) > UNRELATED * WINDOW and gain < GAIN:
        found["delta"] = (
            f"the views of a pair are hardly closer than unrelated sounds, and uniformity does not improve ({place}): "
            "delta may be too large for so many pairs"
        )
    return found


def write_history(path: Path, rows: list[Row]) -> None:
    """Write rows as csv, with six digits of each number."""
    with replace(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY)
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in dataclasses.asdict(row).items()}
            for row in rows
        )


class Reporter:
    """Tells how a training goes: history.csv, TensorBoard, a progress bar, warnings; and stops it when it has failed.

    Args:
        history: csv to write at the end.
        name: of the training, for messages.
        settings: of the training.
        start: step to continue from.
        rows: of the history up to there.
    """

    def __init__(self, history: Path, name: str, settings: PretrainSettings, start: int, rows: list[Row]):
        self.history, self.name, self.batch_pairs, self.rows = history, name, settings.batch_pairs, rows
        self.steps: list[torch.Tensor] = []  # since the last report, on the device
        self.source_s, self.begun = 0.0, time.monotonic()
        self.warned: set[str] = set()
        self.board = SummaryWriter(history.parent / "tensorboard", purge_step=start)
        total, done = steps_of(settings) * self.batch_pairs, start * self.batch_pairs
        self.bar = tqdm(total=total, initial=done, desc=name, unit="pair", smoothing=0.05)

    def note(self, terms: torch.Tensor, largest: torch.Tensor, source_s: float) -> None:
        """Keep what `check_steps` needs of a step, still on the device, and the seconds that making its sounds took."""
        self.steps.append(torch.cat([terms, largest.to(terms)[None]]))
        self.source_s += source_s
        self.bar.update(self.batch_pairs)

    def check(self, step: int) -> list[list[float]]:
        """Check all steps since the last report, up to this one; returns what `check_steps` takes.

        Raises:
            Failed: as `check_steps`.
        """
        steps = torch.stack(self.steps).tolist() if self.steps else []
        check_steps(self.name, step - len(steps) + 1, steps)
        return steps

    def report(self, step: int, lr: float, embeddings: torch.Tensor, shares: dict[str, float]) -> None:
        """Check all steps since the last report, and add a row to the history; `shares` are those of a `Stopwatch`.

        Raises:
            Failed: as `check_steps`.
        """
        steps = self.check(step)
        elapsed = time.monotonic() - self.begun
        speed = len(steps) * self.batch_pairs / elapsed
        spread = effective_rank(embeddings), dead_share(embeddings)
        spent = [*(shares[part] for part in PARTS), self.source_s / elapsed]
        row = record(step, self.batch_pairs, steps[-1][:3], lr, speed, spread, spent)
        self.rows.append(row)
        self.steps, self.source_s, self.begun = [], 0.0, time.monotonic()
        for kind, message in find_warnings(self.rows).items():
            if kind not in self.warned:
                log.warning("%s: %s", self.name, message)
            self.warned.add(kind)
        self.bar.set_postfix(align=f"{row.align:.3f}", uniform=f"{row.uniform:.3f}")
        for key in HISTORY[2:]:
            self.board.add_scalar(key, getattr(row, key), step)

    def finish(self) -> None:
        """Write the history."""
        self.bar.close()
        self.board.close()
        write_history(self.history, self.rows)
