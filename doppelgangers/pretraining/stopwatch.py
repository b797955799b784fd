"""Where the time of a training goes."""

import time

import torch

AFFECTS_RESULTS = False  # it reports of a training

PARTS = ("wait", "frontend", "forward", "backward")


class Stopwatch:
    """Shares of the time that the parts of a step take.

    On a GPU the marks are events of its stream, which are read when shares are asked for, so that no step waits for them.

    Args:
        device: that does the work.
    """

    def __init__(self, device: torch.device):
        self.cuda = device.type == "cuda"
        self.marks = [("", self.now())]

    def now(self) -> "float | torch.cuda.Event":
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def end(self, part: str) -> None:
        """Say that what was done since the last mark was this part, one of `PARTS`, or "" for anything else."""
        self.marks.append((part, self.now()))

    def shares(self) -> dict[str, float]:
        """Share of each of `PARTS` in the time since the last call; what they leave is anything else."""
        self.end("")
        if self.cuda:
            self.marks[-1][1].synchronize()
        spent = dict.fromkeys((*PARTS, ""), 0.0)
        for (_, begin), (part, end) in zip(self.marks, self.marks[1:], strict=False):
            spent[part] += begin.elapsed_time(end) if self.cuda else end - begin
        total = sum(spent.values())
        self.marks = self.marks[-1:]
        return {part: spent[part] / total if total else 0.0 for part in PARTS}
