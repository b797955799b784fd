"""Archives of datasets: checked, locked, and either whole or absent."""

import hashlib
import json
import logging
import zipfile

import pytest

from doppelgangers.datasets import download as module
from doppelgangers.datasets import fetch as fetching
from doppelgangers.datasets.catalogue import Archive
from doppelgangers.datasets.download import download
from doppelgangers.errors import UserError
from doppelgangers.files import checksum, read_json

CONTENT = b"content of an archive" * 5000
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)


@pytest.fixture
def url(host):
    (host.folder / "a.zip").write_bytes(CONTENT)
    return f"{host.address}/a.zip"


def get(tmp_path, archive, checksum="", dataset="vivae"):
    path = tmp_path / "out/a.zip"
    download(path, dataset=dataset, archive=archive, licence="CC BY-NC 4.0", checksum=checksum)
    return path


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").rglob("*"))


def test_size_and_checksum_of_the_catalogue_are_checked(tmp_path, url):
    assert get(tmp_path, Archive(url, MD5, len(CONTENT))).read_bytes() == CONTENT
    assert files(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_another_archive_is_refused_and_not_kept(tmp_path, host, url, scheme):
    url = url if scheme == "http" else (host.folder / "a.zip").as_uri()
    wrong = "md5:" + "0" * 32
    message = rf"vivae: {url} has {MD5.replace(':', ' ')}, expected 0{{32}}: .*deleted.*datasets.vivae.checksum to its own or"
    with pytest.raises(UserError, match=message):
        get(tmp_path, Archive(url, wrong))
    assert files(tmp_path) == []
    assert get(tmp_path, Archive(url, wrong), checksum=MD5).exists()
    assert get(tmp_path, Archive(url, wrong), checksum="none").exists()


def test_a_wrong_size_is_said(tmp_path, url):
    with pytest.raises(UserError, match=rf"and {len(CONTENT)} bytes, expected .* and 5: the download"):
        get(tmp_path, Archive(url, MD5, 5))


@pytest.mark.parametrize(("dataset", "section"), [("vivae", "datasets.vivae"), ("birds", "own_tasks.birds")])
def test_an_address_that_does_not_answer_is_named_with_the_keys_to_change(tmp_path, host, dataset, section):
    message = rf"{dataset}: http.*/b.zip cannot be fetched \(404.*\); run again.*{section}.url to a mirror or {section}.path to"
    with pytest.raises(UserError, match=message):
        get(tmp_path, Archive(f"{host.address}/b.zip", MD5), dataset=dataset)


def test_a_cut_download_is_kept_and_continued(tmp_path, host, url):
    host.cut["/a.zip"] = [70_000, *[0] * fetching.TRIES]
    with pytest.raises(UserError, match="run again to continue"):
        get(tmp_path, Archive(url, MD5))
    assert files(tmp_path) == [".a.zip.part", ".a.zip.part.etag"]
    host.cut.clear()
    assert get(tmp_path, Archive(url, MD5)).read_bytes() == CONTENT
    assert host.asked[-1] == ("/a.zip", "bytes=65536-")
    assert files(tmp_path) == ["a.zip"]


# --- without a known checksum


def test_the_first_download_is_locked_and_the_next_one_checked_against_it(tmp_path, host, url, caplog):
    get(tmp_path, Archive(url)).unlink()
    assert "this download is trusted and locked" in caplog.text
    lock = read_json(tmp_path / "out/a.zip.lock.json")
    assert lock["checksum"] == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    assert lock["bytes"] == len(CONTENT)
    assert get(tmp_path, Archive(url)).exists()
    (host.folder / "a.zip").write_bytes(b"other")
    with pytest.raises(UserError, match=r"has sha256 .*delete .*a.zip.lock.json, which has what was seen on \d{4}-"):
        get(tmp_path, Archive(url))
    assert read_json(tmp_path / "out/a.zip.lock.json") == lock


@pytest.fixture
def zenodo(host):
    """A host with the paths of Zenodo: the file, and what its API says of the record."""
    place = host.folder / "records/4066235/files"
    place.mkdir(parents=True)
    (place / "VIVAE.zip").write_bytes(CONTENT)
    record = host.folder / "api/records/4066235"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"files": [{"key": "VIVAE.zip", "size": len(CONTENT), "checksum": MD5}]}))
    return host


@pytest.mark.parametrize("suffix", ["", "?download=1"])
def test_zenodos_record_gives_the_checksum_and_nothing_is_locked(tmp_path, zenodo, caplog, suffix):
    with caplog.at_level(logging.WARNING):
        get(tmp_path, Archive(f"{zenodo.address}/records/4066235/files/VIVAE.zip{suffix}"))
    assert [path for path, _ in zenodo.asked] == ["/api/records/4066235", "/records/4066235/files/VIVAE.zip"]
    assert files(tmp_path) == ["a.zip"]
    assert caplog.text == ""


@pytest.mark.parametrize(("content", "size"), [(b"damaged", 7), (CONTENT[::-1], len(CONTENT))])
def test_a_file_that_differs_from_zenodos_record_is_refused(tmp_path, zenodo, content, size):
    (zenodo.folder / "records/4066235/files/VIVAE.zip").write_bytes(content)
    message = rf"has md5 .* and {size} bytes, expected {MD5[4:]} and {len(CONTENT)}: .*datasets.vivae.checksum to its own or"
    with pytest.raises(UserError, match=message):
        get(tmp_path, Archive(f"{zenodo.address}/records/4066235/files/VIVAE.zip"))
    assert files(tmp_path) == []


def test_a_checksum_of_the_configuration_is_used_without_asking_zenodo(tmp_path, zenodo):
    get(tmp_path, Archive(f"{zenodo.address}/records/4066235/files/VIVAE.zip"), checksum=MD5)
    assert [path for path, _ in zenodo.asked] == ["/records/4066235/files/VIVAE.zip"]


def test_a_file_that_the_record_does_not_have_is_named_before_it_is_fetched(tmp_path, zenodo):
    with pytest.raises(UserError, match=r"api/records/4066235 has no file NSynth.zip; it has VIVAE.zip"):
        get(tmp_path, Archive(f"{zenodo.address}/records/4066235/files/NSynth.zip"))
    assert [path for path, _ in zenodo.asked] == ["/api/records/4066235"]


@pytest.mark.parametrize("record", ["<html>", "{}", '{"files": [{"key": "VIVAE.zip"}]}'])
def test_a_record_that_cannot_be_read_is_named(tmp_path, zenodo, record):
    (zenodo.folder / "api/records/4066235").write_text(record)
    with pytest.raises(UserError, match=r"api/records/4066235, which has the checksum of VIVAE.zip, cannot be read"):
        get(tmp_path, Archive(f"{zenodo.address}/records/4066235/files/VIVAE.zip"))


# --- many small files


@pytest.fixture
def many(host, tmp_path, monkeypatch):
    """Thirty files and their manifest."""
    lines = ["path,bytes,sha256"]
    for number in range(30):
        file = host.folder / f"AudioWAV/{number}.wav"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes([number]) * 1000)
        lines.append(f"AudioWAV/{number}.wav,1000,{checksum(file)}")
    (tmp_path / "many.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "download.py"))
    return Archive(host.address, name="a.zip", manifest="many.csv")


def test_many_files_become_one_archive(tmp_path, host, many):
    host.busy["/AudioWAV/7.wav"] = 2
    host.cut["/AudioWAV/9.wav"] = [500]
    with zipfile.ZipFile(get(tmp_path, many)) as archive:
        assert len(archive.namelist()) == 30
        assert archive.read("AudioWAV/9.wav") == bytes([9]) * 1000
    assert files(tmp_path) == ["a.zip"]


def test_what_arrived_is_kept_when_one_of_many_fails(tmp_path, host, many):
    lost = host.folder / "AudioWAV/29.wav"
    content = lost.read_bytes()
    lost.write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"AudioWAV/29.wav is not the file of many.csv: its size or sha256 differs"):
        get(tmp_path, many)
    assert not (tmp_path / "out/a.zip").exists()
    lost.write_bytes(content)
    host.asked.clear()
    get(tmp_path, many)
    assert 1 <= len(host.asked) < 30


def test_unchecked_many_files_may_be_fewer(tmp_path, host, many):
    (host.folder / "AudioWAV/3.wav").unlink()
    with pytest.raises(UserError, match=r"404.*AudioWAV/3.wav"):
        get(tmp_path, many)
    with zipfile.ZipFile(get(tmp_path, many, checksum="none")) as archive:
        assert len(archive.namelist()) == 29
