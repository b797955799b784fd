"""What every workflow script runs in: a log, the threads it was given, a readable end, and a record of the run."""

import contextlib
import importlib.metadata
import logging
import os
import platform
import subprocess
import sys
import time
import warnings
from pathlib import Path

from doppelgangers.errors import UserError
from doppelgangers.files import write_json

# JAX would take most of a GPU's memory at its first use, and torch shares that GPU. Set here, before JAX loads.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

PACKAGES = ("numpy", "pandas", "torch", "torchvision", "torch-audiomentations", "jax", "synthax", "scikit-learn", "snakemake")


class Tee:
    """A stream that writes to the terminal and to the log."""

    def __init__(self, *streams):
        self.streams = streams

    def write(self, text: str) -> int:
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()

    def __getattr__(self, name: str):
        return getattr(self.streams[0], name)


@contextlib.contextmanager
def job(snakemake):
    """Run a stage for a rule.

    Messages and progress go to the terminal and to the rule's log. A `UserError` ends the job with its message alone.
    Beside the log, `<log>.json` records what ran: configuration, code digest, versions, machine, seconds.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(snakemake.threads)
    begun = time.time()
    with open(path, "w", encoding="utf-8") as file, contextlib.redirect_stderr(Tee(sys.stderr, file)):
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
        for noisy in ("jax", "absl", "matplotlib"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        warnings.simplefilter("default")
        try:
            yield
        except UserError as error:
            print(f"\nERROR in {snakemake.rule}: {error}\n", file=sys.stderr)
            raise SystemExit(1) from None
    write_json(path.with_suffix(".json"), provenance(snakemake, time.time() - begun))


def provenance(snakemake, seconds: float) -> dict:
    """What a reader needs to make this output again."""
    return {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "output": list(snakemake.output),
        "config": snakemake.params.config,
        "code": snakemake.params.code,
        "commit": commit(),
        "versions": versions(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {device()}",
        "threads": snakemake.threads,
        "seconds": round(seconds, 1),
    }


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def device() -> str:
    """Name of the GPU that torch used, if this job loaded torch."""
    torch = sys.modules.get("torch")
    return torch.cuda.get_device_name(0) if torch and torch.cuda.is_available() else "no GPU used"


def commit() -> str:
    """Commit of the code, with a mark when files differ from it; empty outside a git checkout."""
    try:
        run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip()
