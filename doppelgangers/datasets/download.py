"""Stage: fetch an archive of a dataset."""

import csv
import logging
import re
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import requests
from tqdm import tqdm

from doppelgangers.datasets.catalogue import Archive, section_of
from doppelgangers.datasets.fetch import TIMEOUT_S, discard, fetch, finish
from doppelgangers.errors import UserError
from doppelgangers.files import DISK_ERRORS, disk_errors, read_json, write_json
from doppelgangers.files import checksum as file_checksum

log = logging.getLogger(__name__)
CONNECTIONS = 8  # for a dataset of many small files


def download(path: Path, *, dataset: str, archive: Archive, licence: str, checksum: str) -> None:
    """Fetch an archive and check its size and checksum; `path` is written only when both are right.

    Until then what has arrived is kept in a hidden file beside it, and the next call continues there. Where neither the
    configuration nor the catalogue has a checksum, that of Zenodo's record is used. For files on other hosts the first
    download is trusted: `<path>.lock.json` keeps its checksum, and later downloads are checked against that.

    Args:
        path: file to write.
        dataset: its name, for messages.
        archive: what to fetch.
        licence: for the log.
        checksum: "md5:...", "sha1:..." or "sha256:..." to use instead of the archive's; empty: the archive's; "none": check
            nothing.

    Raises:
        UserError: naming dataset and url, when it cannot be fetched or is not the expected file.
    """
    address, section = archive.url, section_of(dataset)
    log.info("%s: licence %s, from %s", dataset, licence, address)
    part = path.with_name(f".{path.name}.part")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        known = None if checksum == "none" or archive.manifest else known_of(path, dataset, archive, checksum)
        try:
            if archive.manifest:
                fetch_many(address, Path(__file__).with_name(archive.manifest), part, check=checksum != "none")
            else:
                fetch(address, part)
        except OSError as error:  # requests' errors are of this kind too
            if error.errno in DISK_ERRORS:
                raise
            raise UserError(
                f"{dataset}: {address} cannot be fetched ({error}); run again to continue, or set {section}.url to "
                f"a mirror or {section}.path to a copy on this machine"
            ) from error
        if known:
            check(part, known, dataset, address)
        elif checksum != "none" and not archive.manifest:
            lock_first(path, part, dataset, address)
        finish(part, path)


class Known(NamedTuple):
    """What an archive has to be: its size (0: not known), its checksum, and what to do when another one is meant."""

    bytes: int
    checksum: str
    remedy: str


def known_of(path: Path, dataset: str, archive: Archive, checksum: str) -> Known | None:
    """What is known of an archive before it is fetched; None where the first download will have to be trusted.

    Raises:
        UserError: when Zenodo's record cannot be read.
    """
    remedy = f'set {section_of(dataset)}.checksum to its own or to "none"'
    if checksum or archive.checksum:
        return Known(0 if checksum else archive.bytes, checksum or archive.checksum, remedy)
    if match := re.fullmatch(r"(https?://[^/]+)/records?/(\d+)/files/([^?]+)(\?.*)?", archive.url):
        return Known(*zenodo_file(f"{match[1]}/api/records/{match[2]}", match[3]), remedy)
    lock = lock_of(path)
    if not lock.exists():
        return None
    seen = read_json(lock)
    return Known(seen["bytes"], seen["checksum"], f"delete {lock}, which has what was seen on {seen['date']}")


def zenodo_file(record: str, name: str) -> tuple[int, str]:
    """Size in bytes and checksum of a file, as Zenodo's record says.

    Raises:
        UserError: when the record cannot be read, or has no such file.
    """
    try:
        answer = requests.get(record, timeout=TIMEOUT_S)
        answer.raise_for_status()
        files = {file["key"]: (file["size"], file["checksum"]) for file in answer.json()["files"]}
    except (requests.RequestException, KeyError) as error:
        raise UserError(f"{record}, which has the checksum of {name}, cannot be read ({error}); run again") from error
    if name not in files:
        raise UserError(f"{record} has no file {name}; it has {', '.join(sorted(files))}")
    return files[name]


def check(part: Path, known: Known, dataset: str, address: str) -> None:
    """Check a file against what is known of it, and delete it when it differs.

    Raises:
        UserError: when it differs.
    """
    algorithm, _, expected = known.checksum.partition(":")
    size, found = part.stat().st_size, file_checksum(part, algorithm)
    if found == expected and known.bytes in (0, size):
        return
    discard(part)
    sizes = f" and {size} bytes" if known.bytes else "", f" and {known.bytes}" if known.bytes else ""
    raise UserError(
        f"{dataset}: {address} has {algorithm} {found}{sizes[0]}, expected {expected}{sizes[1]}: the download is damaged or "
        f"has changed, and was deleted; for another set in the same layout, {known.remedy}"
    )


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock.json")


def lock_first(path: Path, part: Path, dataset: str, address: str) -> None:
    """Keep the checksum of a file for which none is published, so that a later change of the file is noticed."""
    log.warning("%s: no checksum is known for %s; this download is trusted and locked in %s", dataset, address, lock_of(path))
    seen = {"bytes": part.stat().st_size, "checksum": f"sha256:{file_checksum(part)}"}
    write_json(lock_of(path), {"url": address, "date": datetime.now(UTC).date().isoformat(), **seen})


def fetch_many(address: str, manifest: Path, part: Path, check: bool) -> None:
    """Fetch every file of a manifest over several connections, and pack them in one zip archive.

    Args:
        address: folder of the files.
        manifest: csv with the columns path, bytes, sha256.
        part: archive to write; `<part>.files` keeps what has arrived until everything has.
        check: check size and checksum of each file; otherwise a file that the host does not have is left out.

    Raises:
        UserError: naming a file that is not what the manifest says.
        requests.RequestException: when one cannot be fetched.
    """
    folder = part.with_name(f"{part.name}.files")
    with open(manifest, newline="") as table:
        rows = list(csv.DictReader(table))
    local = threading.local()

    def fetch_one(row: dict[str, str]) -> None:
        file = folder / row["path"]
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        local.session = getattr(local, "session", None) or requests.Session()
        unfinished = file.with_name(f"{file.name}.part")
        try:
            fetch(f"{address.rstrip('/')}/{row['path']}", unfinished, progress=False, session=local.session)
        except (FileNotFoundError, requests.HTTPError) as error:
            if check or getattr(getattr(error, "response", None), "status_code", 404) != 404:
                raise
            return
        if check and (str(unfinished.stat().st_size), file_checksum(unfinished)) != (row["bytes"], row["sha256"]):
            discard(unfinished)
            raise UserError(f"{address}/{row['path']} is not the file of {manifest.name}: its size or sha256 differs")
        finish(unfinished, file)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        futures = [pool.submit(fetch_one, row) for row in rows]
        try:
            for future in tqdm(futures, desc=part.name, unit="file"):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    with zipfile.ZipFile(part, "w") as archive:
        for row in rows:
            if (folder / row["path"]).exists():
                archive.write(folder / row["path"], row["path"])
    shutil.rmtree(folder)
