"""The trials of a listening test."""

import dataclasses
import itertools
from typing import Literal

import numpy as np

Kind = Literal["practice", "rated", "identical", "unrelated", "repeat"]
Side = tuple[str, str, str]  # delta, name of the pair, view

PRACTICE = 3  # one of the least, of a middle and of the largest delta
IDENTICAL = UNRELATED = 3  # catch trials, whose answers are known
REPEATS = 5  # rated pairs that come twice; at most half of them


@dataclasses.dataclass(frozen=True)
class Trial:
    """Two sounds that a listener compares.

    Attributes:
        kind: what it is for.
        first, second: the sounds.
    """

    kind: Kind
    first: Side
    second: Side


def plan_trials(
    clips: list[str], unrelated: list[tuple[str, str]], *, deltas: list[str], pairs: int, rng: np.random.Generator
) -> list[Trial]:
    """The trials, in an order that says nothing of what they are.

    The same pairs are rated at every delta, so that deltas differ in nothing else. Practice and catch trials are of other
    pairs, as long as there are enough of them.

    Args:
        clips: names of the pairs that there are at every delta; at least `pairs`.
        unrelated: names of pairs that are nothing like each other.
        deltas: in any order.
        pairs: to be rated at each delta.
        rng: what is drawn from.
    """
    deltas = sorted(deltas, key=float)
    drawn = [clips[row] for row in rng.permutation(len(clips))]
    order = sorted(drawn, key=lambda clip: any(clip in both for both in unrelated))  # those come last
    rated = order[:pairs]
    others = itertools.cycle(order[pairs:] or order)
    practice = [deltas[0], deltas[len(deltas) // 2], deltas[-1]]
    trials = [pair("practice", delta, clip) for delta, clip in zip(practice, others, strict=False)]
    trials += [
        Trial("identical", (deltas[0], clip, "a"), (deltas[0], clip, "a")) for clip in itertools.islice(others, IDENTICAL)
    ]
    trials += [Trial("unrelated", (deltas[0], one, "a"), (deltas[0], other, "a")) for one, other in unrelated]
    again = [pair("rated", delta, clip) for delta, clip in itertools.product(deltas, rated)]
    trials += again
    chosen = rng.permutation(len(again))[: min(REPEATS, len(again) // 2)]
    trials += [dataclasses.replace(again[row], kind="repeat") for row in chosen]
    return [trials[row] for row in rng.permutation(len(trials))]


def pair(kind: Kind, delta: str, clip: str) -> Trial:
    """A trial of both views of a pair."""
    return Trial(kind, (delta, clip, "a"), (delta, clip, "b"))
