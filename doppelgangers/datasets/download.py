"""Stage: fetch the archive of a dataset."""

import logging
import shutil
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pooch
import requests

from doppelgangers.datasets.catalogue import DATASETS
from doppelgangers.errors import UserError
from doppelgangers.files import checksum as file_checksum
from doppelgangers.files import replace

log = logging.getLogger(__name__)
TIMEOUT_S = 30
TRIES = 4


def download(archive: Path, *, dataset: str, url: str, checksum: str) -> None:
    """Fetch an archive and hold it against its checksum; `archive` appears only when both went well.

    Args:
        archive: file to write.
        dataset: key of the catalogue.
        url: http, https or file, in place of the catalogue's when not empty.
        checksum: "md5:..." or "sha256:...", in place of the catalogue's when not empty; "none" to check nothing.

    Raises:
        UserError: naming dataset and url, when it cannot be fetched or is another file than it should be.
    """
    row = DATASETS[dataset]
    url, expected = url or row.url, checksum or row.checksum
    log.info("%s: licence %s, from %s", dataset, row.licence, url)
    with replace(archive) as temporary:
        try:
            fetch(url, temporary)
        except (OSError, requests.RequestException) as error:
            raise UserError(
                f"{dataset}: {url} cannot be fetched ({error}); try again later, or set datasets.{dataset}.url to a mirror "
                f"or datasets.{dataset}.path to a copy on this machine"
            ) from error
        algorithm, _, digest = expected.partition(":")
        if expected != "none" and (found := file_checksum(temporary, algorithm)) != digest:
            raise UserError(
                f"{dataset}: {url} has {algorithm} {found}, expected {digest}: the download is damaged or has changed; "
                f'for another set in the same layout, set datasets.{dataset}.checksum to its own or to "none"'
            )


def fetch(url: str, path: Path) -> None:
    """Copy what `url` names to `path`."""
    parsed = urlparse(url)
    if parsed.scheme == "file":
        shutil.copyfile(url2pathname(parsed.path), path)
        return
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_S)
    mirror = pooch.create(
        path.parent, base_url="", registry={path.name: None}, urls={path.name: url}, retry_if_failed=TRIES - 1
    )
    mirror.fetch(path.name, downloader=downloader)
