"""history.csv: how a training went, and what is said of it while it goes."""

import csv
import logging
import math
import time
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from doppelgangers.errors import UserError
from doppelgangers.files import replace
from doppelgangers.pretraining.diagnostics import dead_share, effective_rank
from doppelgangers.pretraining.stopwatch import PARTS

AFFECTS_RESULTS = False  # it reports of a training and may stop it, but does not change it

log = logging.getLogger(__name__)

TERMS = ("align", "uniform", "loss")
# Shares of the time since the row before: waiting for sounds, front-end, forward, backward; and making sounds, beside these.
SHARES = (*(f"{part}_share" for part in PARTS), "source_share")
HISTORY = ("step", "pairs", *TERMS, "lr", "pairs_per_s", "effective_rank", "dead_share", *SHARES)
COLLAPSED = -0.01  # uniformity of embeddings that are all alike is 0
NEARLY_COLLAPSED = -0.1  # their mean squared distance is 0.05 of the 2 that it is on an even sphere; untrained: -0.76
UNRELATED = 1.9  # alignment of unrelated views is 2 on an even sphere; Voice: 1.8 at delta 0.25, up to 1.93 at 0.5
GAIN = 0.05  # of uniformity
WINDOW = 10  # rows


def record(step: int, batch_pairs: int, terms: tuple, lr: float, speed: float, spread: tuple, shares: tuple) -> dict:
    """One row of the history, of the `TERMS`, the spread (effective rank, share of dead dimensions) and the `SHARES`."""
    row = (step, step * batch_pairs, *terms, lr, round(speed, 1), *spread, *(round(share, 3) for share in shares))
    return dict(zip(HISTORY, row, strict=True))


def check_terms(name: str, first: int, terms: list[list[float]]) -> None:
    """Stop a training that has failed.

    Args:
        name: of the training.
        first: number of the first step.
        terms: align, uniform and loss of that step and of those after it.

    Raises:
        UserError: naming the first step with a term that is not finite or where all embeddings are alike, and its terms.
    """
    for step, row in enumerate(terms, first):
        place = f"{name}, step {step}: " + ", ".join(f"{term} {value:.4g}" for term, value in zip(TERMS, row, strict=True))
        if wrong := [term for term, value in zip(TERMS, row, strict=True) if not math.isfinite(value)]:
            raise UserError(
                f"{' and '.join(wrong)} became not finite ({place}); the learning rate is probably too high: lower "
                "pretrain.learning_rate"
            )
        if row[1] > COLLAPSED:
            raise UserError(
                f"all embeddings are alike ({place}); delta may be too small or the learning rate too high: "
                "raise the delta or lower pretrain.learning_rate"
            )


def find_warnings(rows: list[dict]) -> dict[str, str]:
    """What the paper's signs of failure say of a training so far: kind -> message.

    "collapse" when the embeddings of the last row are nearly identical; "delta" when over the last `WINDOW` rows the views
    of a pair were all but unrelated in the mean, and uniformity, which that may pay for, no longer gained.

    Args:
        rows: of the history, in order.
    """
    found, last, window = {}, rows[-1], rows[-WINDOW:]
    place = f"step {last['step']}: align {last['align']:.3f}, uniform {last['uniform']:.3f}"
    if last["uniform"] > NEARLY_COLLAPSED:
        found["collapse"] = (
            f"the embeddings are nearly identical ({place}, effective rank {last['effective_rank']:.1f}): "
            "delta may be too small, or the terms of the loss unbalanced"
        )
    gain = window[0]["uniform"] - min(row["uniform"] for row in window)
    if len(window) == WINDOW and sum(row["align"] for row in window) > UNRELATED * WINDOW and gain < GAIN:
        found["delta"] = (
            f"the views of a pair are hardly nearer than unrelated sounds, and uniformity gains nothing by it ({place}): "
            "delta may be too large for so many pairs"
        )
    return found


def write_history(path: Path, rows: list[dict]) -> None:
    with replace(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY)
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )


class Reporter:
    """What a training says of itself while it runs: history.csv, TensorBoard, progress, warnings, and a stop if it fails.

    Args:
        history: csv to write at the end.
        name: of the training, for messages.
        batch_pairs, steps: how much there is to do.
        start: step to continue from.
        rows: of the history up to there.
    """

    def __init__(self, history: Path, name: str, batch_pairs: int, steps: int, start: int, rows: list[dict]):
        self.history, self.name, self.batch_pairs, self.rows = history, name, batch_pairs, rows
        self.terms: list[torch.Tensor] = []
        self.source_s, self.begun = 0.0, time.monotonic()
        self.warned: set[str] = set()
        self.board = SummaryWriter(Path(history).parent / "tensorboard", purge_step=start)
        done = start * batch_pairs
        self.bar = tqdm(total=steps * batch_pairs, initial=done, desc=name, unit="pair", smoothing=0.05)

    def note(self, terms: torch.Tensor, seconds: float) -> None:
        """Keep the terms of a step, which stay on the device, and the seconds that its sounds took."""
        self.terms.append(terms)
        self.source_s += seconds
        self.bar.update(self.batch_pairs)

    def report(self, step: int, lr: float, embeddings: torch.Tensor, shares: dict[str, float]) -> None:
        """Look at all steps since the last report, and add a row to the history; `shares` are a `Stopwatch`'s since then.

        Raises:
            UserError: as in `history.check_terms`.
        """
        terms = torch.stack(self.terms).cpu()
        check_terms(self.name, step - len(terms) + 1, terms.tolist())
        elapsed = time.monotonic() - self.begun
        speed = len(terms) * self.batch_pairs / elapsed
        spread = effective_rank(embeddings), dead_share(embeddings)
        self.rows.append(
            record(step, self.batch_pairs, terms[-1].tolist(), lr, speed, spread, (*shares.values(), self.source_s / elapsed))
        )
        self.terms, self.source_s, self.begun = [], 0.0, time.monotonic()
        for kind, message in find_warnings(self.rows).items():
            if kind not in self.warned:
                log.warning("%s: %s", self.name, message)
            self.warned.add(kind)
        self.bar.set_postfix(align=f"{terms[-1][0]:.3f}", uniform=f"{terms[-1][1]:.3f}")
        for key in HISTORY[2:]:
            self.board.add_scalar(key, self.rows[-1][key], step)

    def finish(self) -> dict:
        """Write the history; returns its last row."""
        self.bar.close()
        self.board.close()
        write_history(self.history, self.rows)
        return self.rows[-1]
