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
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doppelgangers.datasets.records import Record, archive_of
from doppelgangers.errors import UserError
from doppelgangers.files import checksum, write_json
from doppelgangers.provenance import MADE, commit, environment, machine, made_of, recorded_checksum, versions
from doppelgangers.workflow.cache import check_inputs

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
def job(snakemake: Any, beside: Iterable[str] = ()) -> Iterator[None]:
    """Run a stage for a rule.

    Messages, progress and the traceback of an error go to the terminal and to the rule's log; a `UserError` ends the job with
    its message alone. A job that claims no GPU finds none. Inputs that come out of a cache are checked first.
    At the end `provenance.made_of` the first output says what made it: configuration, code digest, versions, machine, time,
    memory, and the checksums of what was read and written.

    Args:
        snakemake: of the rule's script.
        beside: patterns of what belongs to the outputs though Snakemake does not know of it, in the folder of the first.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(snakemake.threads)
    if not claims_gpu(snakemake.resources):
        hide_gpus()
    started, record = time.time(), made_of(snakemake.output[0])
    with open(path, "w", encoding="utf-8") as file, contextlib.redirect_stderr(Tee(sys.stderr, file)):
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
        for noisy in ("jax", "absl", "matplotlib"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        warnings.simplefilter("default")
        try:
            check_inputs(snakemake.input)
            record.unlink(missing_ok=True)
            yield
        except UserError as error:
            print(f"\nERROR in {snakemake.rule}: {error}\n", file=sys.stderr)
            raise SystemExit(1) from None
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
    write_json(made_of(snakemake.output[0]), describe(snakemake, started, beside))


def claims_gpu(resources: Any) -> bool:
    """Whether a job has asked for a GPU: by number, or in the other form that sites of SLURM have (profiles/slurm)."""
    return bool(resources.get("gpu", 0)) or "gpu" in str(resources.get("gres", ""))


def hide_gpus() -> None:
    """Make torch and JAX find no GPU in this process and in those that it starts; early enough before either has looked."""
    os.environ.update(CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_platforms", "cpu")


def describe(snakemake: Any, started: float, beside: Iterable[str]) -> dict[str, Any]:
    """What a reader needs to make this output again, and what it cost."""
    seconds = time.time() - started
    return {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "config": snakemake.params.config,
        "code": snakemake.params.code,
        "commit": commit(),
        "versions": versions(),
        "environment": environment(),
        "python": platform.python_version(),
        "machine": machine(),
        "threads": snakemake.threads,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "peak_memory_mb": round(peak_memory_bytes() / 1e6),
        "inputs": {path: recorded_checksum(path) for path in snakemake.input},
        "files": files_of(list(snakemake.output), beside),
    }


def files_of(outputs: list[str], beside: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Size and sha256 of all files that a job made, by their names in the folder of its record."""
    folder = made_of(Path(outputs[0])).parent
    files = {Path(output) for output in outputs}
    files |= {path for output in files if output.is_dir() for path in output.rglob("*")}
    files |= {path for pattern in beside for path in folder.glob(pattern)}
    found = {}
    for path in sorted(path for path in files if path.is_file() and path.name != MADE):
        archive = Record.read(archive_of(path)) if path.is_symlink() else None  # it was hashed when it was fetched
        found[os.path.relpath(path, folder)] = {
            "bytes": path.stat().st_size,
            "sha256": archive.checksums["sha256"] if archive else checksum(path),
        }
    return found


def peak_memory_bytes() -> int:
    """Largest memory that this process, or one that it started, has held."""
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return largest if sys.platform == "darwin" else 1024 * largest
