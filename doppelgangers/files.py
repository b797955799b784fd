"""Files that are either whole or not there, because they are written under a temporary name and then renamed."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doppelgangers.errors import UserError

AFFECTS_RESULTS = False  # how a file is written does not change what is in it

DISK_ERRORS = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EROFS: "read-only"}


@contextlib.contextmanager
def replace(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which is renamed to `path` on success and removed on failure.

    Raises:
        UserError: when the disk is full or read-only, or we may not write there.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Explain why `path` cannot be written.

    Raises:
        UserError: when the disk is full or read-only, or we may not write there.
    """
    try:
        yield
    except OSError as error:
        if error.errno in DISK_ERRORS:
            raise UserError(f"cannot write {path}: {DISK_ERRORS[error.errno]}; make room there or move it") from error
        if isinstance(error, PermissionError):
            raise UserError(f"cannot write {path}: no permission; change its owner or mode") from error
        raise


def require_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Check that there is space for a result before work on it starts.

    Args:
        folder: of the result; it is created.
        needed_bytes: size of the result.
        what: name of the result, for the message.

    Raises:
        UserError: when the disk of `folder` has less free space.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise UserError(
            f"{what} needs {needed_bytes / 1e9:.2f} GB in {folder}, and {free / 1e9:.2f} GB are free: make room or ask for less"
        )


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, indented and with sorted keys."""
    with replace(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Content of a JSON file that holds an object."""
    return json.loads(Path(path).read_text())


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
