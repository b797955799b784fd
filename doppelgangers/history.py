"""history.csv: how a training went, and what is said of it while it goes."""

import csv
import math
from pathlib import Path

from doppelgangers.errors import UserError
from doppelgangers.files import replace

HISTORY = ("step", "pairs", "align", "uniform", "loss", "lr", "pairs_per_s", "effective_rank", "dead_share")
COLLAPSED = -0.01  # uniformity of embeddings that are all alike is 0
NEARLY_COLLAPSED = -0.1  # their mean squared distance is 0.05 of the 2 that it is on an even sphere; untrained: -0.76
UNRELATED = 1.9  # alignment of unrelated views is 2 on an even sphere; Voice: 1.8 at delta 0.25, up to 1.93 at 0.5
GAIN = 0.05  # of uniformity
WINDOW = 10  # rows


def record(step: int, batch_pairs: int, terms: tuple, lr: float, speed: float, spread: tuple) -> dict:
    """One row of the history, of the terms (align, uniform, loss) and the spread (effective rank, share of dead dimensions)."""
    row = (step, step * batch_pairs, *terms, lr, round(speed, 1), *spread)
    return dict(zip(HISTORY, row, strict=True))


def check_loss(name: str, *, step: int, align: float, uniform: float, loss: float, **_) -> None:
    """Stop a training that has failed.

    Raises:
        UserError: on a loss or term that is not finite, and on collapse.
    """
    place = f"{name}, step {step}: align {align:.4g}, uniform {uniform:.4g}, loss {loss:.4g}"
    if not all(map(math.isfinite, (align, uniform, loss))):
        raise UserError(
            f"the loss is not finite ({place}); the learning rate is probably too high: lower pretrain.learning_rate"
        )
    if uniform > COLLAPSED:
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
