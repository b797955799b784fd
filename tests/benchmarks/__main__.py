"""`make bench`: speed on this machine, as ratios of figures that are measured in turn in one run (docs/benchmarks.md)."""

import argparse
import os
import platform
from pathlib import Path

import jax
import torch

from tests.benchmarks import learning, loop, probes, recordings, sound, spectra, tagging, threads, workflow

BENCHMARKS = {
    "synthesis": sound.synthesis,
    "frontend": sound.frontend,
    "training": learning.training,
    "loop": loop.loop,
    "threads": threads.threads,
    "trainings": threads.side_by_side,
    "recordings": recordings.recordings,
    "probe": probes.linear,
    "features": spectra.features,
    "taggers": tagging.taggers,
    "dryrun": workflow.dry_run,
    "grids": workflow.grids,
}


def main() -> None:
    """Print the machine, then a table for each benchmark that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--repeats", type=int, default=5, help="of which the median is taken (default: %(default)s)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    print(f"machine: {os.cpu_count()} cores, {processor()}, GPU: {gpu()}")
    print(f"versions: Python {platform.python_version()}, torch {torch.__version__}, jax {jax.__version__}")
    for name in arguments.names or BENCHMARKS:
        BENCHMARKS[name](arguments.repeats)


def processor() -> str:
    """Name of the CPU."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def gpu() -> str:
    """Name of the GPU that torch sees."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


if __name__ == "__main__":
    main()
