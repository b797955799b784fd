import pytest
import torch

from doppelgangers.pretraining import stopwatch
from doppelgangers.pretraining.stopwatch import Stopwatch

NOW = {"ms": 0.0}


class Event:
    """Stands for torch.cuda.Event: it can be read once the GPU has passed it, which takes a synchronisation."""

    def __init__(self, enable_timing):
        assert enable_timing
        self.passed = False

    def record(self):
        self.ms = NOW["ms"]

    def synchronize(self):
        self.passed = True

    def elapsed_time(self, end):
        assert end.passed
        return end.ms - self.ms


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_shares_of_a_step_add_up_and_start_again(monkeypatch, device):
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: NOW["ms"] / 1000)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    watch = Stopwatch(torch.device(device))

    def spend(ms, part=None):
        NOW["ms"] += ms
        if part is not None:
            watch.end(part)

    spend(20, "wait")
    spend(30, "forward")
    spend(30, "forward")
    spend(20)  # none of the parts
    assert watch.shares() == pytest.approx({"wait": 0.2, "frontend": 0, "forward": 0.6, "backward": 0})
    spend(5, "")
    spend(15, "backward")
    assert watch.shares() == pytest.approx({"wait": 0, "frontend": 0, "forward": 0, "backward": 0.75})
    assert watch.shares() == dict.fromkeys(stopwatch.PARTS, 0.0)  # no time has passed
