import os
import sys

import pytest

from doppelgangers.workflow import contents
from doppelgangers.workflow.contents import contents_of, contents_of_module


@pytest.fixture(autouse=True)
def forget():
    """Clears what was remembered of contents, before each test and when it is called."""

    def clear():
        contents_of.cache_clear()
        contents_of_module.cache_clear()

    clear()
    return clear


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "sounds"
    (folder / "night/owls").mkdir(parents=True)
    (folder / "clips.csv").write_text("path,label\nnight/owls/a.wav,1\n")
    (folder / "night/owls/a.wav").write_bytes(b"hoot")
    return folder


def now(path):
    contents_of.cache_clear()
    return contents_of(str(path))


def rewrite(path, content):
    """Change a file in place, and give it its old time."""
    before = path.stat()
    assert path.stat().st_size == len(content)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_every_change_of_what_is_there_shows(folder, tmp_path):
    def add():
        (folder / "night/owls/b.wav").write_bytes(b"hoot")

    def link():
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/c.wav").write_bytes(b"hoo")
        (folder / "day").symlink_to(tmp_path / "elsewhere")

    seen = [now(folder)]
    for change in (
        lambda: rewrite(folder / "clips.csv", b"path,label\nnight/owls/a.wav,2\n"),
        lambda: rewrite(folder / "night/owls/a.wav", b"HOOT"),
        add,
        lambda: (folder / "night/owls/b.wav").rename(folder / "night/owls/c.wav"),
        link,
        lambda: rewrite(tmp_path / "elsewhere/c.wav", b"HOO"),
        lambda: (folder / ".hidden.wav").write_bytes(b"hoot"),
        lambda: (folder / "night/owls/a.wav").unlink(),
    ):
        change()
        seen.append(now(folder))
    assert len(set(seen)) == len(seen) == 9


def test_what_changes_nothing_does_not_show(folder):
    before = now(folder)
    os.utime(folder / "clips.csv")
    os.utime(folder)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "night/._a.wav").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git/index").write_bytes(b"x")
    assert now(folder) == before


def test_a_link_that_leads_back_ends(folder):
    (folder / "night/back").symlink_to(folder)
    assert now(folder)


def test_large_files_count_by_size_and_time_whether_it_is_later_or_earlier(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "READ_BYTES", 3)
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"long")
    before = now(archive)
    assert now(archive) == before
    os.utime(archive, ns=(1, 1))
    earlier = now(archive)
    archive.write_bytes(b"longer")
    os.utime(archive, ns=(1, 1))
    assert len({before, earlier, now(archive)}) == 3


def test_nothing_there_is_empty(tmp_path):
    assert now(tmp_path / "none") == ""


def test_a_module_counts_with_all_its_files_and_is_not_imported(tmp_path, monkeypatch, forget):
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "theirs_zzz"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit")
    (package / "weights/w.bin").write_bytes(b"1")
    before = contents_of_module("theirs_zzz.hear")
    forget()
    (package / "weights/w.bin").write_bytes(b"2")
    assert contents_of_module("theirs_zzz.hear") != before != ""
    assert contents_of_module("there_is_no_such_module") == ""
    assert "theirs_zzz" not in sys.modules
