"""What every workflow script runs in: a log, the threads it was given, a readable end, and a record of the run."""

import contextlib
import logging
import os
import platform
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doppelgangers.errors import UserError
from doppelgangers.files import write_json
from doppelgangers.provenance import commit, environment, machine, versions

AFFECTS_RESULTS = False  # where a job runs, and what is recorded of it

# JAX would take most of a GPU's memory at its first use, and torch shares that GPU. Set here, before JAX loads.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


class Tee:
    """A stream that writes to the terminal and to the log."""

    def __init__(self, *streams: Any):
        self.streams = streams

    def write(self, text: str) -> int:
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.streams[0], name)


@contextlib.contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run a stage for a rule.

    Messages, progress and the traceback of an error go to the terminal and to the rule's log; a `UserError` ends the job with
    its message alone. A job that claims no GPU finds none.
    Beside the log, `<log>.json` records what ran: configuration, code digest, versions, machine, time and memory.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(snakemake.threads)
    if not snakemake.resources.get("gpu", 0):
        hide_gpus()
    started = time.time()
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
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
    write_json(path.with_suffix(".json"), record(snakemake, time.time() - started))


def hide_gpus() -> None:
    """Make torch and JAX find no GPU in this process and in those that it starts; early enough before either has looked."""
    os.environ.update(CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_platforms", "cpu")


def record(snakemake: Any, seconds: float) -> dict:
    """What a reader needs to make this output again, and what it cost."""
    return {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "output": list(snakemake.output),
        "config": snakemake.params.config,
        "code": snakemake.params.code,
        "commit": commit(),
        "versions": versions(),
        "environment": environment(),
        "python": platform.python_version(),
        "machine": machine(),
        "threads": snakemake.threads,
        "seconds": round(seconds, 1),
        "peak_memory_mb": round(peak_memory_bytes() / 1e6),
    }


def peak_memory_bytes() -> int:
    """Largest memory that this process, or one that it started, has held."""
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return largest if sys.platform == "darwin" else 1024 * largest
