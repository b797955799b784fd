"""Clear what a killed Snakemake left in this folder, so that the next run can continue. `make` calls it.

A killed Snakemake leaves its lock, and jobs that go on without it. This looks for a live Snakemake in this folder: with
one, it refuses; without, it ends the orphaned jobs and removes the lock.
"""

import shutil
import sys
from pathlib import Path

import psutil


def processes_here(folder: Path) -> list[psutil.Process]:
    """Snakemake controllers and jobs whose working folder is `folder`."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = " ".join(process.info["cmdline"] or ())
        if (
            process.info["cwd"] == str(folder)
            and "python" in command
            and "snakemake" in command
            and process.pid != psutil.Process().pid
        ):
            found.append(process)
    return found


def is_controller(process: psutil.Process) -> bool:
    """A Snakemake that schedules; its jobs run as `--mode subprocess` or as a script below .snakemake."""
    command = " ".join(process.info["cmdline"])
    return "--mode" not in command and ".snakemake/scripts" not in command


def unlock(folder: Path) -> None:
    """Make `folder` ready for a run.

    Raises:
        SystemExit: when a Snakemake is running there.
    """
    processes = processes_here(folder)
    for process in filter(is_controller, processes):
        sys.exit(f"a run is going on in this folder (process {process.pid}): wait for it, or stop it with: kill {process.pid}")
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=20)
    shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)


if __name__ == "__main__":
    unlock(Path.cwd())
