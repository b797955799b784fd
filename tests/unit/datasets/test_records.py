"""Which archives are still as they were checked, and those of the user."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from doppelgangers.datasets.records import (
    DOWNLOADS,
    LINKS,
    Record,
    altered,
    archive_of,
    drop_dangling_links,
    fetched,
    link,
    ours,
    record_of,
    verify,
)
from doppelgangers.errors import UserError

SHA = "sha256:" + hashlib.sha256(b"content").hexdigest()


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive as `download` leaves it, and the link to it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path.joinpath(DOWNLOADS, "birds/a.zip").relative_to(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"content")
    about = path.stat()
    checksums = {"sha256": SHA[7:]}
    Record("https://a.org/a.zip", True, "2024-05-31", about.st_size, about.st_mtime_ns, checksums, SHA).write(path)
    link(tmp_path / LINKS / "birds/a.zip", tmp_path / path)
    return path


@pytest.fixture
def linked(archive, tmp_path):
    return tmp_path.joinpath(LINKS, "birds/a.zip").relative_to(tmp_path)


def test_a_link_leads_to_its_archive_also_when_the_folders_moved(archive, linked, tmp_path, monkeypatch):
    assert linked.read_bytes() == b"content"
    assert archive_of(linked) == archive_of(archive) == archive
    (tmp_path / "elsewhere").mkdir()
    shutil.move("resources", "elsewhere/resources")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert archive_of(linked) == archive
    assert fetched(linked)


def test_a_link_of_the_user_is_left_alone(tmp_path):
    (tmp_path / "mine.zip").write_bytes(b"x")
    (tmp_path / "link.zip").symlink_to("mine.zip")
    assert archive_of(tmp_path / "link.zip") == tmp_path / "link.zip"


def test_only_links_to_archives_that_are_gone_are_removed(archive, linked):
    drop_dangling_links()
    assert linked.is_symlink()
    archive.unlink()
    drop_dangling_links()
    assert not linked.is_symlink()
    assert record_of(archive).exists()


def states(path):
    return fetched(path), altered(path), ours(path)


def test_states_of_an_archive(archive, linked):
    assert states(archive) == states(linked) == (True, False, True)
    time = archive.stat().st_mtime_ns
    archive.write_bytes(b"contenT")
    os.utime(archive, ns=(time, time + 1))
    assert states(archive) == states(linked) == (False, True, False)
    archive.write_bytes(b"longer content")
    os.utime(archive, ns=(time, time))
    assert states(archive) == (False, True, False)
    archive.unlink()
    assert states(archive) == states(linked) == (False, False, False)
    record_of(archive).unlink()
    archive.write_bytes(b"content")
    assert states(archive) == (False, False, False)


def test_a_changed_archive_is_held_against_what_it_had_to_be(archive, linked, caplog):
    assert verify([linked], "birds", "") == [archive]
    archive.write_bytes(b"other")
    found = hashlib.sha256(b"other").hexdigest()
    message = rf"birds: {archive} has sha256 {found}, expected {SHA[7:]}.*left as it is.*set own_tasks.birds.checksum to its"
    with pytest.raises(UserError, match=message):
        verify([linked], "birds", "")
    assert verify([linked], "birds", "none") == [archive]
    archive.write_bytes(b"content")
    os.utime(archive, ns=(1, 1))
    assert verify([linked], "birds", "") == [archive]
    assert "was changed after it was checked on 2024-05-31" in caplog.text


def test_the_users_own_file_is_held_against_the_checksum_of_the_configuration(tmp_path):
    mine = tmp_path / "mine.zip"
    mine.write_bytes(b"content")
    assert verify([mine], "birds", SHA) == verify([mine], "birds", "") == [mine]
    assert verify([tmp_path], "birds", "none") == verify([tmp_path], "birds", "") == [tmp_path]
    with pytest.raises(UserError, match=rf"birds: {mine} has md5 \w+, expected 0+\. .*move it elsewhere"):
        verify([mine], "birds", f"md5:{'0' * 32}")
    with pytest.raises(UserError, match=rf"own_tasks.birds.checksum is that of a file, and {tmp_path} is a folder"):
        verify([tmp_path], "birds", SHA)


def test_it_is_light():
    code = "import sys, doppelgangers.datasets.records; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "torch", "requests"} & set(loaded)
