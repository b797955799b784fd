"""Stage: fetch an archive of a dataset."""

import logging
from datetime import UTC, datetime
from pathlib import Path

from doppelgangers.datasets.catalogue import Archive, section_of
from doppelgangers.datasets.checks import Known, check, check_kind, compare, known_of
from doppelgangers.datasets.fetch import fetch, finish
from doppelgangers.datasets.many_files import check_members, fetch_many
from doppelgangers.datasets.records import Record, hold_against, source_of
from doppelgangers.errors import UserError
from doppelgangers.files import DISK_ERRORS, disk_errors
from doppelgangers.files import checksum as file_checksum

AFFECTS_RESULTS = False  # a checked archive is the same however it was fetched; url and checksum are in the rule's params

log = logging.getLogger(__name__)


def download(path: Path, *, dataset: str, archive: Archive, licence: str, checksum: str) -> None:
    """See that an archive is there, and fetch it where it is not, or where another one is wanted now.

    An archive that is there and is the wanted one is kept, whoever put it there. What is fetched is kept in a hidden file
    beside it until it is checked, and the next call continues there; only then it replaces what was there, if that was
    fetched too. Where neither the configuration nor the catalogue has a checksum, that of Zenodo's record is used. For files
    on other hosts the first download is trusted, if it is an archive: later ones are checked against its record.

    Args:
        path: file to write; its `records.Record` is written beside it.
        dataset: its name, for messages.
        archive: what to fetch.
        licence: for the log.
        checksum: "md5:...", "sha1:..." or "sha256:..." to use instead of the archive's; empty: the archive's; "none": check
            nothing.

    Raises:
        UserError: naming dataset and url, when it cannot be fetched or is not the expected file; naming `path`, when the user
            put another file there.
    """
    part, source = path.with_name(f".{path.name}.part"), source_of(archive.url)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        record = Record.read(path)
        if record and record.is_of(part):
            finish(part, path)  # an earlier call ended between its last two steps
        if is_as_asked(path, record, archive, checksum):
            return  # before a host is asked anything
        known = None if checksum == "none" or archive.manifest else known_of(dataset, archive, checksum)
        if path.exists() and is_wanted(path, record, known, dataset, archive, checksum):
            log.info("%s: %s is here already", dataset, path)
            return
        log.info("%s: licence %s, from %s", dataset, licence, archive.url)
        transfer(part, dataset, archive, checked=checksum != "none")
        if known:
            check(part, known, dataset, archive)
        elif not archive.manifest:
            check_kind(part, path.suffix, dataset, archive)
            if checksum != "none":
                compare(part, record, dataset, archive)
        # In this order, so that a record is never of another file than it says, whenever this is interrupted.
        note(part, path, archive, known, checksum, source, fetched=True)
        finish(part, path)


def is_as_asked(path: Path, record: Record | None, archive: Archive, checksum: str) -> bool:
    """Whether an archive is as recorded, and was checked for the same address and in the same way as asked for now."""
    if record is None or not record.is_of(path) or (record.url, record.source) != (archive.url, source_of(archive.url)):
        return False
    if checksum == "none":
        return True
    pinned = "" if archive.manifest else checksum or archive.checksum
    return record.expected == pinned if pinned else record.expected != "none"


def is_wanted(path: Path, record: Record | None, known: Known | None, dataset: str, archive: Archive, checksum: str) -> bool:
    """Whether an archive that is there is the one that is asked for; then its record is brought up to date.

    Raises:
        UserError: when it is not, and the user put it there.
    """
    if path.is_dir():
        raise UserError(f"{dataset}: {path} is a folder; set {section_of(dataset)}.path to it, or move it elsewhere")
    seen = record is not None and record.is_of(path)
    unchanged = seen or (record is not None and record.checksums["sha256"] == file_checksum(path))
    fetched = record is not None and record.fetched and unchanged
    if known:
        algorithm, _, digest = known.checksum.partition(":")
        there = record.checksums.get(algorithm) if record and seen else None
        wanted = digest == (there or file_checksum(path, algorithm))
    else:
        unchecked = archive.manifest and checksum != "none" and record is not None and record.expected == "none"
        same = record is not None and (record.url, record.source) == (archive.url, source_of(archive.url))
        wanted = not unchanged or (same and not unchecked)
    if wanted:
        if not known and not unchanged:
            check_kind(path, path.suffix, dataset, archive, own=True)
            if archive.manifest and checksum != "none":
                check_members(path, Path(__file__).with_name(archive.manifest), dataset)
        note(path, path, archive, known, checksum, source_of(archive.url), fetched)
        return True
    if fetched:
        return False
    if known:
        hold_against(path, known.checksum, dataset)
    raise UserError(
        f"{dataset}: {path} was put there for {record.url if record else 'another address'}, not fetched by this workflow, "
        f"and {archive.url} is wanted now: move it elsewhere and run again, or set {section_of(dataset)}.path to it"
    )


def note(
    file: Path, path: Path, archive: Archive, known: Known | None, checksum: str, source: list[int], fetched: bool
) -> None:
    """Write the record of the archive `path`, which is still called `file`."""
    about = file.stat()
    checksums = {"sha256": file_checksum(file)}
    if known:
        algorithm, _, digest = known.checksum.partition(":")
        checksums[algorithm] = digest
    Record(
        url=archive.url,
        fetched=fetched,
        date=datetime.now(UTC).date().isoformat(),
        bytes=about.st_size,
        mtime_ns=about.st_mtime_ns,
        checksums=checksums,
        expected=known.checksum if known else checksum,
        source=source,
    ).write(path)


def transfer(part: Path, dataset: str, archive: Archive, checked: bool) -> None:
    """Fetch an archive, or the many files that become one, into an unfinished file.

    Raises:
        UserError: naming what to do when it cannot be fetched.
    """
    section = section_of(dataset)
    try:
        if archive.manifest:
            fetch_many(archive.url, Path(__file__).with_name(archive.manifest), part, check=checked)
        else:
            fetch(archive.url, part)
    except OSError as error:  # requests' errors are of this kind too
        if error.errno in DISK_ERRORS:
            raise
        raise UserError(
            f"{dataset}: {archive.url} cannot be fetched ({error}); run again to continue, or set {section}.url to "
            f"a mirror or {section}.path to a copy on this machine"
        ) from error
