"""Stage: fetch an archive of a dataset."""

import json
import logging
import re
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import requests
from tqdm import tqdm

from doppelgangers.datasets.catalogue import Archive
from doppelgangers.datasets.fetch import TIMEOUT_S, discard, fetch, finish
from doppelgangers.errors import UserError
from doppelgangers.files import DISK_ERRORS, disk_errors, read_json, write_json
from doppelgangers.files import checksum as file_checksum

log = logging.getLogger(__name__)
CONNECTIONS = 8  # for a dataset of many small files


def download(path: Path, *, dataset: str, archive: Archive, licence: str, checksum: str) -> None:
    """Fetch an archive and hold it against its size and checksum; `path` appears only when all went well.

    What has arrived stays beside it, hidden, and the next call continues there. Where neither the configuration nor the
    catalogue has a checksum, the host's own record is asked (Zenodo's API), and `<path>.lock.json` keeps what it said,
    or else what came the first time; later downloads are held against that.

    Args:
        path: file to write.
        dataset: its name, for messages.
        archive: what to fetch.
        licence: for the log.
        checksum: "md5:...", "sha1:..." or "sha256:...", in place of the archive's when not empty; "none" to check nothing.

    Raises:
        UserError: naming dataset and url, when it cannot be fetched or is another file than it should be.
    """
    path, address = Path(path), archive.url
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
                f"{dataset}: {address} cannot be fetched ({error}); run again to continue, or set datasets.{dataset}.url to "
                f"a mirror or datasets.{dataset}.path to a copy on this machine"
            ) from error
        if known:
            check(part, known, dataset, address)
        elif checksum != "none" and not archive.manifest:
            lock_first(path, part, dataset, address)
        finish(part, path)


class Known(NamedTuple):
    """What an archive has to be: size (0: not known), checksum, and what to do when another is meant."""

    bytes: int
    checksum: str
    remedy: str


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock.json")


def known_of(path: Path, dataset: str, archive: Archive, checksum: str) -> Known | None:
    """What is known of an archive before it is fetched; None where the first download will have to be trusted.

    Raises:
        UserError: when the host's record cannot be read.
    """
    lock = lock_of(path)
    if checksum or archive.checksum:
        remedy = f'set datasets.{dataset}.checksum to its own or to "none"'
        return Known(0 if checksum else archive.bytes, checksum or archive.checksum, remedy)
    if not lock.exists():
        record = zenodo_file(archive.url)
        if record is None:
            return None
        log.warning(
            "%s: no checksum is known for %s; that of %s is trusted, and locked in %s",
            dataset,
            archive.url,
            record["source"],
            lock,
        )
        write_json(lock, {"url": archive.url, "date": today(), **record})
    seen = read_json(lock)
    return Known(seen["bytes"], seen["checksum"], f"delete {lock}, which has what was seen on {seen['date']}")


def check(part: Path, known: Known, dataset: str, address: str) -> None:
    """Hold a file against what is known of it.

    Raises:
        UserError: when it is another one; it is deleted.
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


def lock_first(path: Path, part: Path, dataset: str, address: str) -> None:
    """Keep the checksum of a file that nobody has one for, so that it cannot change unseen."""
    log.warning("%s: no checksum is known for %s; what came is trusted and locked in %s", dataset, address, lock_of(path))
    seen = {"bytes": part.stat().st_size, "checksum": f"sha256:{file_checksum(part)}", "source": "the first download"}
    write_json(lock_of(path), {"url": address, "date": today(), **seen})


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def zenodo_file(address: str) -> dict | None:
    """Size and checksum of a file by Zenodo's own record; None for other hosts.

    Raises:
        UserError: when the record cannot be read, or does not have the file.
    """
    match = re.fullmatch(r"(https?://[^/]+)/records?/(\d+)/files/([^?]+)(\?.*)?", address)
    if not match:
        return None
    record = f"{match[1]}/api/records/{match[2]}"
    try:
        answer = requests.get(record, timeout=TIMEOUT_S)
        answer.raise_for_status()
        files = {file["key"]: file for file in answer.json()["files"]}
    except (requests.RequestException, json.JSONDecodeError, KeyError) as error:
        raise UserError(f"{record}, which has the checksum of {match[3]}, cannot be read ({error}); run again") from error
    if match[3] not in files:
        raise UserError(f"{record} has no file {match[3]}; it has {', '.join(sorted(files))}")
    return {"bytes": files[match[3]]["size"], "checksum": files[match[3]]["checksum"], "source": record}


def fetch_many(address: str, manifest: Path, part: Path, check: bool) -> None:
    """Fetch every file of a manifest over several connections, and pack them in one zip archive.

    Args:
        address: folder that holds them.
        manifest: csv with the columns path, bytes, sha256.
        part: archive to write; `<part>.files` keeps what has arrived until all has.
        check: hold size and checksum of each against the manifest; without, a file that the host lacks is left out.

    Raises:
        UserError: naming a file that is not what the manifest says.
        requests.RequestException: when one cannot be fetched.
    """
    folder = part.with_name(f"{part.name}.files")
    rows = list(pd.read_csv(manifest).itertuples())
    local = threading.local()

    def fetch_one(row) -> None:
        file = folder / row.path
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        local.session = getattr(local, "session", None) or requests.Session()
        unfinished = file.with_name(f"{file.name}.part")
        try:
            fetch(f"{address.rstrip('/')}/{row.path}", unfinished, progress=False, session=local.session)
        except (FileNotFoundError, requests.HTTPError) as error:
            if check or getattr(getattr(error, "response", None), "status_code", 404) != 404:
                raise
            return
        if check and (unfinished.stat().st_size, file_checksum(unfinished)) != (row.bytes, row.sha256):
            discard(unfinished)
            raise UserError(f"{address}/{row.path} is not the file of {manifest.name}: its size or sha256 differs")
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
            if (folder / row.path).exists():
                archive.write(folder / row.path, row.path)
    shutil.rmtree(folder)
