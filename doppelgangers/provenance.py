"""What made a result: the commit of the code, the versions of packages, the machine; and the record of it beside the result.

`<output>.made.json` beside the first output of a job, or `made.json` in it where that is a folder, has all files that the job
made, with their checksums, and what made them. A record counts for a file only while that file is the one that it is of.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doppelgangers.files import checksum, read_json

AFFECTS_RESULTS = False  # it only describes them

PACKAGES = (
    *("numpy", "pandas", "torch", "torchvision", "torchaudio", "torch-audiomentations", "jax", "jaxlib", "synthax"),
    *("scikit-learn", "soundfile", "soxr", "snakemake"),
)
MADE = "made.json"


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on; empty for those that are not installed here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # where Snakemake has an environment of its own
            found[name] = ""
    return found


def environment() -> dict[str, str]:
    """Environment variables of the libraries that make sounds."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(("JAX_", "XLA_", "FLAX_"))}


def machine() -> str:
    """Operating system, processor, number of cores; and the GPU, if this process has imported torch or JAX and has a GPU."""
    torch, jax, gpu = sys.modules.get("torch"), sys.modules.get("jax"), "no GPU used"
    if torch and torch.cuda.is_available():
        gpu = torch.cuda.get_device_name(0)
    elif jax and not torch and jax.default_backend() == "gpu":
        gpu = jax.devices()[0].device_kind
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


def made_of(output: Path) -> Path:
    """Where the record is of the job whose first output this is."""
    output = Path(output)
    return output / MADE if output.is_dir() else output.with_name(f"{output.name}.{MADE}")


def records_in(folder: Path) -> Iterator[Path]:
    """All records in a folder, at any depth."""
    return Path(folder).rglob(f"*{MADE}")


def record_of(path: Path) -> dict[str, Any] | None:
    """What made a file or a folder; None where nobody noted it, or where the file was replaced since."""
    path = Path(path)
    own = made_of(path)
    for record in [own] if own.exists() else sorted(path.parent.glob(f"*.{MADE}")):
        content = read_json(record)
        if path.is_dir() or is_of(record, content, path):
            return content
    return None


def recorded_checksum(path: Path) -> str:
    """sha256 of a file as its record has it, of a folder that of the list of its files; empty where there is no record."""
    path, record = Path(path), record_of(path)
    if record is None:
        return ""
    return record["files"][path.name]["sha256"] if path.is_file() else checksum_of(record["files"])


def checksum_of(files: dict[str, Any]) -> str:
    """sha256 that stands for all files of a record."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def is_of(record: Path, content: dict[str, Any], path: Path) -> bool:
    """Whether the file at a path is the one that a record is of; its bytes are read only where it is newer than the record."""
    about = content["files"].get(path.name)
    if about is None or not path.is_file() or path.stat().st_size != about["bytes"]:
        return False
    return path.stat().st_mtime_ns <= record.stat().st_mtime_ns or checksum(path) == about["sha256"]
