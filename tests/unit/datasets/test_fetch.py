"""Downloads from a host that fails."""

import gzip
import random

import pytest
import requests

from doppelgangers.datasets import fetch as module
from doppelgangers.datasets.fetch import discard, fetch, finish
from doppelgangers.errors import UserError

CONTENT = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    waits = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    return waits


@pytest.fixture
def part(host, tmp_path):
    (host.folder / "big.zip").write_bytes(CONTENT)
    return tmp_path / ".big.zip.part"


def test_a_cut_connection_continues_at_the_byte(host, part):
    host.cut["/big.zip"] = [300_000, 0, 200_001]
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT
    assert [range for _, range in host.asked] == ["", "bytes=262144-", "bytes=262144-", "bytes=458752-"]  # whole chunks


def test_a_call_that_gave_up_is_continued_by_the_next(host, part):
    host.cut["/big.zip"] = [100_000, *[0] * module.TRIES]
    with pytest.raises(requests.RequestException):
        fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT[:65536]
    host.cut.clear()
    host.asked.clear()
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT
    assert host.asked == [("/big.zip", "bytes=65536-")]
    finish(part, part.with_name("big.zip"))
    assert [path.name for path in part.parent.iterdir() if path.is_file()] == ["big.zip"]


def test_what_is_complete_is_not_fetched_again(host, part):
    fetch(f"{host.address}/big.zip", part)
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT
    assert host.asked[1:] == [("/big.zip", f"bytes={len(CONTENT)}-")]


def test_another_version_on_the_host_is_fetched_from_its_beginning(host, part):
    host.cut["/big.zip"] = [100_000, *[0] * module.TRIES]
    with pytest.raises(requests.RequestException):
        fetch(f"{host.address}/big.zip", part)
    host.cut.clear()
    (host.folder / "big.zip").write_bytes(CONTENT[::-1])
    host.asked.clear()
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT[::-1]
    assert host.asked == [("/big.zip", "bytes=65536-")]


def test_a_host_without_ranges_sends_it_again(host, part):
    host.ranges = False
    host.cut["/big.zip"] = [100_000]
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT
    assert len(host.asked) == 2


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "br", "zstd"])
def test_bytes_are_kept_as_they_are_sent(host, tmp_path, encoding):
    """Hosts that label a .tar.gz like a page that they compressed."""
    content = gzip.compress(CONTENT[:1000] + random.Random(0).randbytes(400_000))
    (host.folder / "a.tar.gz").write_bytes(content)
    host.headers["Content-Encoding"] = encoding
    host.cut["/a.tar.gz"] = [200_000]
    fetch(f"{host.address}/a.tar.gz", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == content
    assert host.asked[1:] == [("/a.tar.gz", "bytes=196608-")]


def test_a_part_of_another_address_is_not_continued(host, part):
    """Two hosts whose files have the same ETag."""
    host.headers["ETag"] = '"1"'
    (host.folder / "other.zip").write_bytes(CONTENT[::-1])
    host.cut["/big.zip"] = [100_000, *[0] * module.TRIES]
    with pytest.raises(requests.RequestException):
        fetch(f"{host.address}/big.zip", part)
    fetch(f"{host.address}/other.zip", part)
    assert part.read_bytes() == CONTENT[::-1]


def test_a_part_that_was_not_asked_for_is_not_appended(host, part):
    host.cut["/big.zip"] = [300_000]
    host.shift = 100
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT
    assert [range for _, range in host.asked] == ["", "bytes=262144-", ""]


def test_a_busy_host_is_asked_again_after_ever_longer_pauses(host, part, no_waiting):
    host.busy["/big.zip"] = 3
    fetch(f"{host.address}/big.zip", part)
    assert part.read_bytes() == CONTENT
    assert no_waiting == [1, 2, 4]


def test_what_is_not_there_is_asked_for_once(host, part):
    with pytest.raises(requests.HTTPError, match="404"):
        fetch(f"{host.address}/nothing.zip", part)
    assert len(host.asked) == 1
    assert not part.exists()


def test_a_file_url_is_copied_and_discarded(tmp_path):
    (tmp_path / "a b.zip").write_bytes(CONTENT)
    fetch((tmp_path / "a b.zip").as_uri(), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    discard(tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_a_file_that_the_disk_cannot_hold_is_refused_before_it_is_fetched(host, part, tmp_path, small_disk):
    small = tmp_path / "small"
    small_disk(small, "size=500k")
    with pytest.raises(UserError, match=r"downloading http.*big.zip needs 0.00 GB in .*small"):
        fetch(f"{host.address}/big.zip", small / "part")
    assert not (small / "part").exists()
