"""Jobs of SLURM that a run left behind: they go on when the Snakemake that submitted them is gone."""

import getpass
import logging
import os
import subprocess
import time
from pathlib import Path

from doppelgangers.errors import UserError

AFFECTS_RESULTS = False  # it looks at jobs and waits for them

log = logging.getLogger(__name__)

LOOK_S, TELL_S = 2.0, 60.0
WAITING = "PENDING"
# As Snakemake's plugin for SLURM names jobs.
COMMENTS = ("rule_", "group_")


def jobs_in(folder: Path) -> dict[str, str]:
    """Job id -> state of the jobs of Snakemake that wait or run with a folder as theirs.

    Raises:
        UserError: when SLURM does not answer.
    """
    command = ["squeue", "--noheader", f"--user={getpass.getuser()}", "--format=%i|%T|%Z|%k"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
        trouble = answer.stderr.strip() if answer.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        trouble = str(error)
    if trouble:
        raise UserError(
            f"the last run in this folder was on a cluster, and SLURM does not say whether jobs of it are left ({trouble}): "
            "try again where squeue works"
        )
    rows = [line.split("|", 3) for line in answer.stdout.splitlines()]
    return {
        number: state
        for number, state, place, comment in rows
        if comment.startswith(COMMENTS) and os.path.realpath(place) == os.path.realpath(folder)
    }


def refuse_beside_jobs(folder: Path) -> None:
    """See that no job of an earlier run works in a folder, because this run would do the same again.

    Raises:
        UserError: naming the jobs.
    """
    if left := jobs_in(folder):
        raise UserError(
            f"jobs of an earlier run still wait or work in this folder: {' '.join(left)}. Run make, which waits for those that "
            f"work; or end them: scancel {' '.join(left)}"
        )


def settle_jobs(folder: Path) -> None:
    """Cancel the jobs in a folder that have not begun, and wait for the others, whose results the next run finds.

    Raises:
        UserError: when SLURM does not answer.
    """
    told = -TELL_S
    while left := jobs_in(folder):
        if waiting := [number for number, state in left.items() if state == WAITING]:
            subprocess.run(["scancel", f"--state={WAITING}", *waiting], check=True)
        if time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            log.warning(
                "waiting for jobs of a run that is gone, so that nothing is done twice: %s. To go on at once (a training "
                "continues from its checkpoint): scancel %s",
                " ".join(f"{number} ({state})" for number, state in left.items()),
                " ".join(left),
            )
        time.sleep(LOOK_S)
