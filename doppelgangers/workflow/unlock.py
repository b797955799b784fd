"""Clear what a killed Snakemake left in this folder, so that the next run can continue. `make` calls it.

A killed Snakemake leaves its lock, and jobs that go on without it: those on this machine are ended, those of SLURM waited for
(`slurm.settle_jobs`). Each run notes who it is, once it has the lock. The lock is
lifted only if that process is certainly gone: it ran on this machine, since the machine was started, and is not there any more.
A run on another node of a cluster, or in a container that this process cannot see into, may be alive.
"""

import json
import logging
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from doppelgangers.errors import UserError
from doppelgangers.files import write_json
from doppelgangers.workflow.slurm import refuse_beside_jobs, settle_jobs

HOLDER = Path(".snakemake/holder.json")
LOCKS = Path(".snakemake/locks")


def whereabouts() -> dict[str, str]:
    """What a process has to share with this one, so that each can tell whether the other is alive."""
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return {
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else str(psutil.boot_time()),
        "process_space": str(space.readlink()) if space.exists() else "",
    }


def note_holder(on_cluster: bool) -> None:
    """Note that this process holds the lock of the working folder; for Snakemake, once it has it.

    Raises:
        UserError: when the run before was on a cluster, and jobs of it are left.
    """
    if was_on_cluster(Path()):
        refuse_beside_jobs(Path())
    process = psutil.Process()
    write_json(HOLDER, {**whereabouts(), "process": process.pid, "started": process.create_time(), "on_cluster": on_cluster})


def was_on_cluster(folder: Path) -> bool:
    """Whether the last run in a folder submitted its jobs to a cluster."""
    record = folder / HOLDER
    return record.exists() and json.loads(record.read_text()).get("on_cluster", False)


def is_gone(holder: dict[str, Any]) -> bool:
    """Whether the process that noted itself is certainly not there any more."""
    if any(holder.get(key) != value for key, value in whereabouts().items()):
        return False
    try:
        return psutil.Process(holder["process"]).create_time() != holder["started"]
    except psutil.NoSuchProcess:
        return True


def holder_of(folder: Path) -> dict[str, Any]:
    """Who holds the lock of a folder; empty if nobody noted it since the lock was made."""
    record = folder / HOLDER
    if not record.exists() or any(record.stat().st_mtime < lock.stat().st_mtime for lock in locks_of(folder)):
        return {}
    return json.loads(record.read_text())


def locks_of(folder: Path) -> list[Path]:
    return sorted((folder / LOCKS).glob("*.lock"))


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
        SystemExit: when a Snakemake is running there, or may be.
        UserError: when jobs may be left on a cluster that does not answer.
    """
    processes = processes_here(folder)
    for process in filter(is_controller, processes):
        sys.exit(f"a run is going on in this folder (process {process.pid}): wait for it, or stop it with: kill {process.pid}")
    if locks_of(folder):
        holder = holder_of(folder)
        if not (holder and is_gone(holder)):
            sys.exit(
                f"this folder is locked by {described(holder)}, which may be alive: wait for it, or stop it there. If it is "
                f"certainly gone, lift the lock with: .venv/bin/snakemake --unlock"
            )
    if was_on_cluster(folder):
        settle_jobs(folder)
        processes = processes_here(folder)
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=20)
    shutil.rmtree(folder / LOCKS, ignore_errors=True)


def described(holder: dict[str, Any]) -> str:
    if not holder:
        return "a run that did not say who it is"
    started = time.strftime("%Y-%m-%d %H:%M", time.localtime(holder["started"]))
    here = whereabouts()
    if holder["host"] == here["host"] and holder["boot"] != here["boot"]:
        return f"a run of before the last start of {holder['host']}, of {started}"
    return f"process {holder['process']} on {holder['host']}, a run of {started}"


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    try:
        unlock(Path.cwd())
    except UserError as error:
        sys.exit(f"ERROR: {error}")
