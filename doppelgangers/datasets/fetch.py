"""Fetch a file over an unreliable network: try again, and continue where a download was interrupted."""

import contextlib
import logging
import shutil
import time
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import requests
from tqdm import tqdm

from doppelgangers.files import require_space

AFFECTS_RESULTS = False  # how a file is fetched is not what is in it

log = logging.getLogger(__name__)
TIMEOUT_S = 30
TRIES = 6  # tries in a row without a new byte
BACKOFF_S = 1.0  # before the second try; doubled each time
BUSY = {408, 425, 429, 500, 502, 503, 504}
CHUNK = 2**16  # bytes; a part of one is lost when a connection is cut


def fetch(url: str, path: Path, *, progress: bool = True, session: requests.Session | None = None) -> None:
    """Download `url` to `path`, after the bytes that are in `path` already.

    `<path>.etag` beside it says which version of which file the bytes belong to: when the host has another version now, or
    the address is another one, it is fetched from its beginning. The bytes are kept as they are sent: hosts label a .tar.gz
    as content in the encoding gzip, and decoded it would be another file than the one whose size and checksum are known.

    Args:
        url: http, https or file.
        path: of an unfinished file; it is kept when this fails, and the next call continues it.
        progress: draw a progress bar.
        session: to reuse connections.

    Raises:
        requests.RequestException: after `TRIES` tries in a row without progress, or at once when the host refuses.
        OSError: when the disk cannot be written.
        UserError: when the file would not fit on the disk.
    """
    parsed = urlparse(url)
    if parsed.scheme == "file":
        shutil.copyfile(url2pathname(parsed.path), path)
        return
    session, failures = session or requests.Session(), 0
    while True:
        before = size_of(path)
        try:
            with contextlib.closing(request_rest(session, url, path)) as response:
                append(response, url, path, progress)
            return
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else None
            failures = 1 if size_of(path) > before else failures + 1
            if failures >= TRIES or (status is not None and status not in BUSY):
                raise
            wait = pause(error.response, failures)
            log.warning("%s: %s; try again in %.0f s, at byte %d", url, error, wait, size_of(path))
            time.sleep(wait)


def request_rest(session: requests.Session, url: str, path: Path) -> requests.Response:
    """Ask for the bytes that are not yet in `path`."""
    headers = {"Accept-Encoding": "identity"}  # the checksum is that of the file itself
    etag = etag_of(path)
    version, _, source = etag.read_text().partition("\n") if etag.exists() else ("", "", "")
    if (have := size_of(path)) and version and source == url:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S)
    place = response.headers.get("Content-Range", "")
    if (response.status_code == 416 and place != f"bytes */{have}") or (
        response.status_code == 206 and not place.startswith(f"bytes {have}-")
    ):
        response.close()
        discard(path)  # the host's file is shorter than what is here, or it sends another part than was asked for
        return request_rest(session, url, path)
    if response.status_code == 416:
        return response  # the file is complete
    try:
        response.raise_for_status()
    except requests.HTTPError:
        response.close()
        raise
    return response


def append(response: requests.Response, url: str, path: Path, progress: bool) -> None:
    """Append a response to what is in `path`, or overwrite it where the host sends the whole file."""
    if response.status_code == 416:
        return
    continued = response.status_code == 206
    have = size_of(path) if continued else 0
    length = response.headers.get("Content-Length")
    if length:
        require_space(path.parent, int(length), f"downloading {response.url}")
    version = response.headers.get("ETag", "")
    # A weak validator does not promise the same bytes (RFC 9110, 13.1.5).
    version = response.headers.get("Last-Modified", "") if not version or version.startswith("W/") else version
    if not continued:
        etag_of(path).write_text(f"{version}\n{url}") if version else etag_of(path).unlink(missing_ok=True)
    total = have + int(length) if length else None
    with (
        open(path, "ab" if continued else "wb") as file,
        tqdm(initial=have, total=total, desc=path.name, unit="B", unit_scale=True, disable=None if progress else True) as bar,
    ):
        response.raw.headers.pop("Content-Encoding", None)  # by which what arrives would be decoded
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))


def pause(response: requests.Response | None, failures: int) -> float:
    """Seconds to wait: what the host asks for, or twice as long each time; at most a minute."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(60.0, float(asked) if asked.isdigit() else BACKOFF_S * 2 ** (failures - 1))


def finish(part: Path, path: Path) -> None:
    """Give a fetched file its final name."""
    part.replace(path)
    etag_of(part).unlink(missing_ok=True)


def discard(part: Path) -> None:
    """Delete a fetched file, so that the next fetch starts from the beginning."""
    part.unlink(missing_ok=True)
    etag_of(part).unlink(missing_ok=True)


def etag_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.etag")


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
