"""What made a result: the commit of the code, the versions of packages, the machine."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

AFFECTS_RESULTS = False  # it only describes them

PACKAGES = ("numpy", "pandas", "torch", "torchvision", "torch-audiomentations", "jax", "synthax", "scikit-learn", "snakemake")


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def machine() -> str:
    """Operating system, processor, number of cores; and the GPU, if this process has imported torch and there is a GPU."""
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name(0) if torch and torch.cuda.is_available() else "no GPU used"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {gpu}"


def commit() -> str:
    """Commit of this code, with "-dirty" if files have changed since; empty unless the code is a git checkout of its own.

    A copy of the code inside another repository has no commit: that repository's says nothing of it.
    """
    root = Path(__file__).resolve().parent.parent
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment).stdout.strip()

    try:
        top = git("rev-parse", "--show-toplevel")
        return git("describe", "--always", "--dirty") if top and Path(top).samefile(root) else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""
