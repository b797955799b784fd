"""Where the time of a training goes."""

import operator
import time
from collections.abc import Callable
from typing import Any

import torch

AFFECTS_RESULTS = False  # it only measures a training

PARTS = ("wait", "frontend", "forward", "backward")


class Stopwatch:
    """Shares of the time that the parts of a step take.

    On a GPU the marks are events of its stream, which are read only when shares are asked for, so that no step waits for them.

    Args:
        device: that does the work.
    """

    def __init__(self, device: torch.device):
        on_gpu = device.type == "cuda"
        self.now: Callable[[], Any] = record_event if on_gpu else time.perf_counter
        self.until: Callable[[Any, Any], float] = elapsed_time if on_gpu else operator.sub  # (end, begin) -> duration
        self.marks = [("", self.now())]

    def end(self, part: str) -> None:
        """Say that what was done since the last mark was this part, one of `PARTS`, or "" for anything else."""
        self.marks.append((part, self.now()))

    def shares(self) -> dict[str, float]:
        """Share of each of `PARTS` in the time since the last call; the rest is anything else."""
        self.end("")
        spent = dict.fromkeys((*PARTS, ""), 0.0)
        for (_, begin), (part, end) in zip(self.marks, self.marks[1:], strict=False):
            spent[part] += self.until(end, begin)
        total = sum(spent.values())
        self.marks = self.marks[-1:]
        return {part: spent[part] / total if total else 0.0 for part in PARTS}


def record_event() -> torch.cuda.Event:
    """A mark in the GPU's stream."""
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def elapsed_time(end: torch.cuda.Event, begin: torch.cuda.Event) -> float:
    """Time between two marks, once the GPU has passed both."""
    end.synchronize()
    return begin.elapsed_time(end)
