"""What is known of the archives in resources/downloads: a record beside each, and the links through which rules read them.

Snakemake deletes the output of a job before it runs, and of a job that failed. So the output of rule `download` is a link in
resources/archives; the archive itself is ours, and leaves only when a verified one takes its place.
"""

import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self
from urllib.parse import urlparse
from urllib.request import url2pathname

from doppelgangers.datasets.catalogue import section_of
from doppelgangers.errors import UserError
from doppelgangers.files import checksum as file_checksum
from doppelgangers.files import disk_errors, read_json, write_json

AFFECTS_RESULTS = False  # where an archive is from is not what is in it

log = logging.getLogger(__name__)
DOWNLOADS, LINKS = "resources/downloads", "resources/archives"


@dataclasses.dataclass(frozen=True)
class Record:
    """What was seen of an archive when it was checked; `<archive>.record.json`.

    Attributes:
        url: address that it was fetched from, or stands for.
        fetched: whether this workflow fetched it; otherwise the user put it there, and it is never replaced.
        date: when it was checked, such as 2024-05-31.
        bytes, mtime_ns: size and time of the file on disk.
        checksums: hexadecimal digests by algorithm.
        expected: "md5:..." or the like that it had to have; empty where none was known; "none" where nothing was checked.
        source: of a file:// url, `source_of` when it was copied.
    """

    url: str
    fetched: bool
    date: str
    bytes: int
    mtime_ns: int
    checksums: dict[str, str]
    expected: str
    source: list[int] = dataclasses.field(default_factory=list)

    @classmethod
    def read(cls, archive: Path) -> Self | None:
        """The record of an archive; None where there is none that can be read."""
        try:
            return cls(**read_json(record_of(archive)))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, archive: Path) -> None:
        write_json(record_of(archive), dataclasses.asdict(self))

    def is_of(self, file: Path) -> bool:
        """Whether a file has the size and the time of the one that was seen."""
        return file.is_file() and (file.stat().st_size, file.stat().st_mtime_ns) == (self.bytes, self.mtime_ns)


def record_of(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.record.json")


def archive_of(path: Path | str) -> Path:
    """The archive behind one of our links; any other path as it is."""
    path = Path(path)
    if not path.is_symlink():
        return path
    target = Path(os.path.normpath(path.parent / path.readlink()))
    return target if record_of(target).exists() else path


def link(path: Path, archive: Path) -> None:
    """Make `path` a link to an archive, which stays right when their folders are moved together."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(archive, path.parent))


def drop_dangling_links() -> None:
    """Remove our links whose archive is gone: Snakemake takes a link for a file, and stops when it leads nowhere."""
    for path in Path(LINKS).glob("*/*"):
        if path.is_symlink() and not path.exists():
            with contextlib.suppress(OSError):
                path.unlink()


def source_of(url: str) -> list[int]:
    """Size and time of the file behind a file:// url, which the user may change; empty for hosts, folders and what is gone."""
    parsed = urlparse(url)
    path = Path(url2pathname(parsed.path))
    if parsed.scheme != "file" or not path.is_file():
        return []
    return [path.stat().st_size, path.stat().st_mtime_ns]


def fetched(path: Path | str) -> bool:
    """Whether an archive, given by itself or by its link, is still as recorded: its size and its time."""
    archive = archive_of(path)
    record = Record.read(archive)
    return record is not None and record.is_of(archive)


def altered(path: Path | str) -> bool:
    """Whether an archive is another one than its record says; one without a record has still to be looked at."""
    archive = archive_of(path)
    return record_of(archive).exists() and archive.exists() and not fetched(archive)


def ours(path: Path | str) -> bool:
    """Whether an archive is as this workflow fetched it, so that nobody loses anything when it is deleted."""
    record = Record.read(archive_of(path))
    return record is not None and record.fetched and fetched(path)


def verify(files: Iterable[Path | str], dataset: str, checksum: str) -> list[Path]:
    """See that archives which the user put or changed there are the right ones, where it is known what is right.

    Args:
        files: that a dataset is read from, archives behind our links among them.
        dataset: its name, for messages.
        checksum: of the configuration, for the one file that the user's `path` names; "none": check nothing.

    Returns:
        the same files, with our links followed, so that messages name the archives.

    Raises:
        UserError: naming a file, what was expected and what was found.
    """
    found = [archive_of(file) for file in files]
    for file in found if checksum != "none" else []:
        record = Record.read(file)
        if record is None:
            if checksum:
                hold_against(file, checksum, dataset)
        elif not record.is_of(file):
            log.warning("%s: %s was changed after it was checked on %s", dataset, file, record.date)
            if record.expected not in ("", "none"):
                hold_against(file, record.expected, dataset)
    return found


def hold_against(file: Path, expected: str, dataset: str) -> None:
    """Compare a file of the user's own with what it should be.

    Raises:
        UserError: when it differs, or is a folder.
    """
    section = section_of(dataset)
    if file.is_dir():
        raise UserError(f"{section}.checksum is that of a file, and {file} is a folder: leave the key empty")
    algorithm, _, digest = expected.partition(":")
    if (found := file_checksum(file, algorithm)) != digest:
        raise UserError(
            f"{dataset}: {file} has {algorithm} {found}, expected {digest}. It is not what this workflow fetched, and "
            f"is left as it is: put the right file in its place, or move it elsewhere; if this one is meant, set "
            f'{section}.checksum to its own or to "none"'
        )
