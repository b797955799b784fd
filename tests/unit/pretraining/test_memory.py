import subprocess
import sys

import pytest
import torch

from doppelgangers.errors import UserError
from doppelgangers.pretraining import memory

CPU = torch.device("cpu")
MEASURE = r"""
import re, torch
from pathlib import Path
from doppelgangers.pretraining.memory import bytes_per_pair
from doppelgangers.pretraining.stopwatch import Stopwatch
from tests.unit.pretraining.small import CPU, small_learner
learner = small_learner(width=0.25)
estimate = bytes_per_pair(lambda zeros: learner.loss(learner.patches(zeros, 0))[0][2], 16000, CPU)
def peak(pairs):
    learner.step(torch.randn(pairs, 2, 16000), 0, Stopwatch(CPU))
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
small, large = peak(64), peak(320)
print(estimate, (large - small) / 256)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_estimate_is_what_a_step_takes():
    """Checked against the peak memory of a process, for two sizes of batch."""
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    estimate, measured = map(float, run.stdout.split())
    assert 0.6 < estimate * memory.MARGIN / measured < 2.5


def test_the_largest_batch_that_fits_does_fit(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1e9)
    with pytest.raises(
        UserError, match=r"= 100000 needs about 5\d\d\.\d GB of memory, and 1\.0 GB are free: .* about (\d+)"
    ) as caught:
        memory.require_memory(100_000, 1e6, CPU)
    largest = int(str(caught.value).split("about ")[2].split()[0])
    memory.require_memory(largest, 1e6, CPU)
    with pytest.raises(UserError):
        memory.require_memory(largest + 2, 1e6, CPU)
    memory.require_memory(largest + 2, 1e6, CPU, ranks=2)  # two GPUs hold half of it each
