"""Verdicts on claims, from what single comparisons say: for a claim, against it, or neither."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

REPRODUCED, NOT_REPRODUCED, NOT_TESTED = "reproduced", "not reproduced", "not tested at this scale"
# open: the interval has both sides of the threshold; unknown: there is no interval; missing: not run, or at too small a scale.
Side = Literal["for", "against", "open", "unknown", "missing"]
TOLD = 8  # comparisons that are named in a reason


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One comparison of a claim.

    Attributes:
        name: what is compared, such as a task.
        side: what it says.
        figures: the numbers, for a reader.
        enough: whether its scale is one from which on an open comparison counts against the claim.
    """

    name: str
    side: Side
    figures: str = ""
    enough: bool = False


def side_of(low: float, high: float, beyond: float = 0.0) -> Side:
    """Where an interval lies: above a threshold, at most at it, or on both sides."""
    if np.isnan(low) or np.isnan(high):
        return "unknown"
    return "for" if low > beyond else "against" if high <= beyond else "open"


def within(low: float, high: float, points: float) -> Side:
    """Whether an interval lies between -points and points, wholly outside, or neither."""
    if np.isnan(low) or np.isnan(high):
        return "unknown"
    return "for" if -points < low and high < points else "against" if low > points or high < -points else "open"


def decide(outcomes: Sequence[Outcome], need: int) -> tuple[str, str]:
    """A verdict and why.

    Args:
        outcomes: all comparisons of the claim, those that are not in the results among them.
        need: how many have to be for it.
    """
    if all(outcome.side == "missing" for outcome in outcomes):
        return NOT_TESTED, f"nothing of it can be judged: {listed(outcomes) or 'it is not in the results'}"
    for_it = [outcome for outcome in outcomes if outcome.side == "for"]
    told = f"{len(for_it)} of {len(outcomes)} comparisons are for it, {need} are needed"
    if len(for_it) >= need:
        return REPRODUCED, told
    undecided = [
        outcome for outcome in outcomes if outcome.side == "unknown" or (outcome.side == "open" and not outcome.enough)
    ]
    missing = [outcome for outcome in outcomes if outcome.side == "missing"]
    if len(for_it) + len(undecided) + len(missing) < need:
        return NOT_REPRODUCED, told
    parts = [f"not in the results: {listed(missing)}"] if missing else []
    parts += [f"undecided: {listed(undecided)}"] if undecided else []
    return NOT_TESTED, "; ".join([told, *parts])


def listed(outcomes: Sequence[Outcome]) -> str:
    """Names of comparisons, each once, not too many of them."""
    names = list(dict.fromkeys(outcome.name for outcome in outcomes))
    return ", ".join(names[:TOLD]) + (f" and {len(names) - TOLD} more" if len(names) > TOLD else "")
