"""Datasets of many small files: fetch them and pack them in one archive, or see that they are in one."""

import csv
import hashlib
import shutil
import threading
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from tqdm import tqdm

from doppelgangers.datasets.catalogue import section_of
from doppelgangers.datasets.fetch import discard, fetch, finish
from doppelgangers.errors import UserError
from doppelgangers.files import checksum as file_checksum

AFFECTS_RESULTS = False  # how files are fetched is not what is in them

CONNECTIONS = 8


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
    rows = rows_of(manifest)
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


def check_members(path: Path, manifest: Path, dataset: str) -> None:
    """See that a zip archive of the user's has every file of a manifest.

    Raises:
        UserError: naming the first that is missing or differs.
    """
    if not zipfile.is_zipfile(path):
        raise UserError(f"{dataset}: {path} is no zip archive; put the right file there, or move it elsewhere")
    with zipfile.ZipFile(path) as archive:
        for row in rows_of(manifest):
            check_member(archive, row, dataset)


def check_member(archive: zipfile.ZipFile, row: dict[str, str], dataset: str) -> None:
    path = archive.filename
    try:
        content = archive.read(row["path"])
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError(f"{dataset}: {path} has no whole {row['path']} ({error}); put the right file there") from error
    if (found := hashlib.sha256(content).hexdigest()) != row["sha256"]:
        raise UserError(
            f"{dataset}: {row['path']} in {path} has sha256 {found}, expected {row['sha256']}: put the right file there, or "
            f'set {section_of(dataset)}.checksum to "none"'
        )


def rows_of(manifest: Path) -> list[dict[str, str]]:
    with open(manifest, newline="") as table:
        return list(csv.DictReader(table))
