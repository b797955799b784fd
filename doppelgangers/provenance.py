"""Where a result comes from: the commit of the code, the versions of the packages, the machine."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

AFFECTS_RESULTS = False  # it describes them

PACKAGES = ("numpy", "pandas", "torch", "torchvision", "torch-audiomentations", "jax", "synthax", "scikit-learn", "snakemake")


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def machine() -> str:
    """Operating system, processor, cores, and the GPU if this process has loaded torch and torch has found one."""
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name(0) if torch and torch.cuda.is_available() else "no GPU used"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {gpu}"


def commit() -> str:
    """Commit of this code, with a mark when files differ from it; empty outside a git checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        run = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip()
