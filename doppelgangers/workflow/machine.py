"""What jobs need to know of the machine, said while Snakemake parses the rules; without torch."""

import os
import shutil
from pathlib import Path

AFFECTS_RESULTS = False  # the same results, sooner or later

DRIVER = Path("/dev/nvidiactl")  # in a container too, which may have no nvidia-smi


def gpus_of_a_job(asked: int | str, local: bool) -> int:
    """How many GPUs a job claims that can use one.

    Args:
        asked: `pretrain.gpus`; with 0 no job uses a GPU.
        local: whether jobs run on this machine. Where others run them, they may have a GPU though this machine has none.
    """
    return int(asked != 0 and (not local or has_gpu()))


def has_gpu() -> bool:
    """Whether this machine has a GPU that programs may use, as far as one can tell without asking its driver."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "all") not in ("", "-1")
    return visible and (shutil.which("nvidia-smi") is not None or DRIVER.exists())


def let_waiting_threads_sleep() -> None:
    """Let threads of torch that wait give up their core soon; else programs that share it slow each other down.

    For the processes that are started from now on. What the user has set for these threads stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # turns of a loop; measured in docs/benchmarks.md
