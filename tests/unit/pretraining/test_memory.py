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
    memory.require_memory(largest + 2, 1e6, torch.device("cuda"), ranks=2)  # two GPUs hold half of it each


def group(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def listed(folder, *lines):
    (folder / "self").write_text("".join(f"{line}\n" for line in lines))
    return folder / "self"


def test_the_tightest_of_nested_groups_counts(tmp_path):
    mounted = tmp_path / "cgroup"
    group(mounted)  # the group of the whole machine has no limit
    used = {"memory__stat": "anon 1\ninactive_file 300"}
    group(mounted / "slurm", memory__max=10_000, memory__current=8_000, **used)
    group(mounted / "slurm/job_7", memory__max=5_000, memory__current=4_000, **used)
    group(mounted / "slurm/job_7/step_0", memory__max="max", memory__current=4_000, **used)
    own = listed(tmp_path, "0::/slurm/job_7/step_0")
    assert memory.free_in_groups(own, mounted) == 5_000 - 4_000 + 300
    (mounted / "slurm/memory.current").write_text("9900")
    assert memory.free_in_groups(own, mounted) == 400
    (mounted / "slurm/memory.current").write_text("12000")
    assert memory.free_in_groups(own, mounted) == 0


def test_a_container_sees_its_own_group_at_the_top(tmp_path):
    group(tmp_path / "cgroup", memory__max=2_000, memory__current=500, memory__stat="inactive_file 0")
    for line in ("0::/", "0::/system.slice/docker-1234.scope"):
        assert memory.free_in_groups(listed(tmp_path, line), tmp_path / "cgroup") == 1_500


def test_groups_of_version_1(tmp_path):
    mounted = tmp_path / "cgroup"
    names = {
        "memory__limit_in_bytes": 9_000,
        "memory__usage_in_bytes": 4_000,
        "memory__stat": "inactive_file 5\ntotal_inactive_file 70",
    }
    group(mounted / "memory/slurm/uid_0/job_7", **names)
    group(mounted / "memory", **{**names, "memory__limit_in_bytes": 2**63 - 4096})
    own = listed(tmp_path, "12:cpuset:/slurm", "5:memory:/slurm/uid_0/job_7", "1:name=systemd:/init", "0::/init")
    assert memory.free_in_groups(own, mounted) == 5_070


def test_without_groups_the_machine_counts(tmp_path, monkeypatch):
    assert memory.free_in_groups(tmp_path / "missing", tmp_path) == float("inf")
    monkeypatch.setattr(memory, "free_in_groups", lambda: 12.0)
    assert memory.free_bytes(CPU) == 12
    monkeypatch.setattr(memory, "free_in_groups", lambda: float("inf"))
    assert 1e6 < memory.free_bytes(CPU) < 1e15


def test_processes_of_a_machine_share_its_memory(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1.6e6)
    memory.require_memory(10, 1e5, CPU)
    memory.require_memory(10, 1e5, CPU, ranks=2)
    with pytest.raises(UserError):
        memory.require_memory(10, 2e5, CPU, ranks=2)
    memory.require_memory(10, 2e5, CPU, ranks=2, nodes=2)
