"""What the machine has to offer before a run starts: folders that can be written, and a Python that starts jobs."""

import os
import re
import shutil
import sys
from pathlib import Path

from doppelgangers.errors import UserError

SHELL_WORDS = re.compile(r"[\s'\"&()$;\\*?|<>`]")  # what a shell reads as more than a letter
LEAST_FREE_BYTES = 50_000_000  # less than this is a full disk: no run gets anywhere with it


def check_interpreter() -> None:
    """See that jobs can start: Snakemake gives the path of Python to a shell as it is.

    Raises:
        UserError: when the shell would read something else than that path.
    """
    if found := SHELL_WORDS.search(sys.executable):
        raise UserError(
            f"the path of Python, {sys.executable}, has the character {found[0]!r}, with which Snakemake cannot start a job: "
            f"move the folder to a path without it, and set up its .venv there (make)"
        )


def check_folders(*folders: str) -> None:
    """Look whether a run could write here, before it starts.

    Raises:
        UserError: naming the folder that is read-only, or whose disk is full.
    """
    for folder in folders:
        place = Path(folder).resolve()
        while not place.exists():
            place = place.parent
        if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
            raise UserError(
                f"{folder}: {place} cannot be written; change its owner or mode, or run in another folder (--directory)"
            )
        if (free := shutil.disk_usage(place).free) < LEAST_FREE_BYTES:
            raise UserError(f"{folder}: the disk of {place} is full ({free / 1e6:.0f} MB are free); make room there")
