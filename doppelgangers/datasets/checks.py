"""What a download is held against before it is used: what is published, what was seen before, how an archive looks."""

import logging
import re
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import requests

from doppelgangers.datasets.catalogue import Archive, section_of
from doppelgangers.datasets.fetch import TIMEOUT_S, discard
from doppelgangers.datasets.records import Record, source_of
from doppelgangers.errors import UserError
from doppelgangers.files import checksum as file_checksum

AFFECTS_RESULTS = False  # an archive that passes is the same with other checks

log = logging.getLogger(__name__)
MARKS = {".sf2": b"RIFF", ".z01": b"PK"}  # how files begin that are no archive by themselves
PAGE = re.compile(rb"\s*<(!doctype|!--|html|head|\?xml)", re.IGNORECASE)


class Known(NamedTuple):
    """What an archive has to be: its size (0: not known) and its checksum."""

    bytes: int
    checksum: str


def known_of(dataset: str, archive: Archive, checksum: str) -> Known | None:
    """What is known of an archive before it is fetched; None where the first download will have to be trusted.

    Raises:
        UserError: when Zenodo's record cannot be read.
    """
    if checksum or archive.checksum:
        return Known(0 if checksum else archive.bytes, checksum or archive.checksum)
    if match := re.fullmatch(r"(https?://[^/]+)/records?/(\d+)/files/([^?]+)(\?.*)?", archive.url):
        return Known(*zenodo_file(f"{match[1]}/api/records/{match[2]}", match[3], section_of(dataset)))
    return None


def zenodo_file(record: str, name: str, section: str) -> tuple[int, str]:
    """Size in bytes and checksum of a file, as Zenodo's record says.

    Raises:
        UserError: when the record cannot be read, or has no such file.
    """
    try:
        answer = requests.get(record, timeout=TIMEOUT_S)
        answer.raise_for_status()
        files = {file["key"]: (file["size"], file["checksum"]) for file in answer.json()["files"]}
    except (requests.RequestException, KeyError) as error:
        raise UserError(
            f"{record}, which has the checksum of {name}, cannot be read ({error}); run again, or set {section}.checksum"
        ) from error
    if name not in files:
        raise UserError(f"{record} has no file {name}; it has {', '.join(sorted(files))}")
    return files[name]


def check(part: Path, known: Known, dataset: str, archive: Archive) -> None:
    """Check a download against what is known of it, and delete it when it differs.

    Raises:
        UserError: when it differs.
    """
    algorithm, _, expected = known.checksum.partition(":")
    size, found = part.stat().st_size, file_checksum(part, algorithm)
    if found == expected and known.bytes in (0, size):
        return
    page = f" What came begins with {beginning(part)}." if PAGE.match(head(part)) else ""
    discard(part)
    sizes = f" and {size} bytes" if known.bytes else "", f" and {known.bytes}" if known.bytes else ""
    raise UserError(
        f"{dataset}: {archive.url} has {algorithm} {found}{sizes[0]}, expected {expected}{sizes[1]}: the download is "
        f"damaged or has changed, and was deleted;{page} for another set in the same layout, set "
        f'{section_of(dataset)}.checksum to its own or to "none"'
    )


def compare(part: Path, record: Record | None, dataset: str, archive: Archive) -> None:
    """Check a download for which no checksum is published against the first one from the same host.

    Raises:
        UserError: when it differs.
    """
    found = file_checksum(part)
    if record is None or record.url != archive.url or not record.fetched or source_of(archive.url):
        log.warning(
            "%s: no checksum is known for %s; this download is trusted, and later ones are checked against it (sha256:%s)",
            dataset,
            archive.url,
            found,
        )
    elif record.checksums["sha256"] != found:
        discard(part)
        raise UserError(
            f"{dataset}: {archive.url} has sha256 {found}, expected {record.checksums['sha256']}, which was seen on "
            f"{record.date}: the file has changed, and what came was deleted; if the change is right, set "
            f'{section_of(dataset)}.checksum to "sha256:{found}" or to "none"'
        )


def check_kind(file: Path, suffix: str, dataset: str, archive: Archive, own: bool = False) -> None:
    """See that a file is what datasets are read from, to its end, before it is trusted.

    Args:
        file: to look into; a download is deleted when it is something else.
        suffix: of its final name.
        dataset: its name, for messages.
        archive: what it should be.
        own: whether the user put it there; then it is left as it is.

    Raises:
        UserError: when it is a page of a website, or ends too early.
    """
    if is_whole(file, suffix):
        return
    start, section = beginning(file), section_of(dataset)
    if own:
        raise UserError(
            f"{dataset}: {file} is no whole archive (it begins with {start}): put the right file there, or move it away"
        )
    discard(file)
    raise UserError(
        f"{dataset}: what came from {archive.url} is no whole archive (it begins with {start}), and was not kept: the host may "
        f"ask to log in. Run again, or set {section}.url to the address of the file itself or {section}.path to a copy on this "
        f"machine"
    )


def is_whole(file: Path, suffix: str) -> bool:
    """Whether a file is a zip or tar archive with an end, or begins like the single file or the part that its suffix says."""
    if zipfile.is_zipfile(file):
        return True
    if re.fullmatch(r"\.z\d\d|\.csv|\.sf2", suffix):
        return head(file).startswith(MARKS.get(suffix, b"")) and not PAGE.match(head(file))
    try:
        with tarfile.open(file, "r|*") as tar:
            return sum(1 for _ in tar) > 0
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        return False


def beginning(file: Path) -> str:
    """How a file begins, for a message."""
    return repr(head(file)[:40].decode("ascii", "replace"))


def head(file: Path) -> bytes:
    with open(file, "rb") as content:
        return content.read(512)
