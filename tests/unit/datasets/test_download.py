"""Archives of datasets: checked, recorded, never lost, and either whole or absent."""

import contextlib
import hashlib
import io
import json
import logging
import os
import random
import tarfile
import zipfile

import pytest

from doppelgangers.datasets import download as module
from doppelgangers.datasets import fetch as fetching
from doppelgangers.datasets.catalogue import Archive
from doppelgangers.datasets.download import download
from doppelgangers.datasets.records import Record
from doppelgangers.errors import UserError
from doppelgangers.files import checksum, read_json


def zipped(seed):
    """A zip archive of 100 kB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.wav", random.Random(seed).randbytes(100_000))
    return buffer.getvalue()


CONTENT = zipped(0)
OTHER = zipped(1)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
FETCHED = ["a.zip", "a.zip.record.json"]


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
    assert files(tmp_path) == FETCHED


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_another_archive_is_refused_and_not_kept(tmp_path, host, url, scheme):
    url = url if scheme == "http" else (host.folder / "a.zip").as_uri()
    wrong = "md5:" + "0" * 32
    message = rf"vivae: {url} has {MD5.replace(':', ' ')}, expected 0{{32}}: .*deleted.*datasets.vivae.checksum to its own or"
    with pytest.raises(UserError, match=message):
        get(tmp_path, Archive(url, wrong))
    assert files(tmp_path) == []
    assert get(tmp_path, Archive(url, wrong), checksum=MD5).read_bytes() == CONTENT
    get(tmp_path, Archive(url, wrong), checksum=MD5).unlink()
    assert get(tmp_path, Archive(url, wrong), checksum="none").read_bytes() == CONTENT


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
    assert files(tmp_path) == FETCHED


# --- without a known checksum


def test_the_first_download_is_trusted_and_the_next_one_checked_against_it(tmp_path, host, url, caplog):
    get(tmp_path, Archive(url)).unlink()
    assert "this download is trusted, and later ones are checked against it" in caplog.text
    record = read_json(tmp_path / "out/a.zip.record.json")
    assert record["checksums"] == {"sha256": hashlib.sha256(CONTENT).hexdigest()}
    assert record["bytes"] == len(CONTENT)
    get(tmp_path, Archive(url)).unlink()
    (host.folder / "a.zip").write_bytes(OTHER)
    new = f"sha256:{hashlib.sha256(OTHER).hexdigest()}"
    with pytest.raises(UserError, match=rf"has sha256 .* seen on \d{{4}}-.*set datasets.vivae.checksum to \"{new}\" or to"):
        get(tmp_path, Archive(url))
    assert files(tmp_path) == ["a.zip.record.json"]
    assert get(tmp_path, Archive(url), checksum=new).read_bytes() == OTHER


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>Sign in</p>", b"\n<html>503</html>", b"", b"busy", CONTENT[:70_000]])
@pytest.mark.parametrize("checksum", ["", "none"])
def test_a_page_or_a_part_in_place_of_the_archive_is_not_kept_and_does_not_count_later(tmp_path, host, url, page, checksum):
    (host.folder / "a.zip").write_bytes(page)
    with pytest.raises(UserError, match=rf"vivae: what came from {url} is no whole archive .*log in.*datasets.vivae.url to"):
        get(tmp_path, Archive(url), checksum=checksum)
    assert files(tmp_path) == []
    (host.folder / "a.zip").write_bytes(CONTENT)
    assert get(tmp_path, Archive(url), checksum=checksum).read_bytes() == CONTENT


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_a_tar_archive_is_one_only_when_it_is_whole(tmp_path, host, compression):
    file = host.folder / "archive"
    with tarfile.open(file, f"w:{compression}") as archive:
        for seed in range(3):
            info = tarfile.TarInfo(f"{seed}.wav")
            info.size = 50_000
            archive.addfile(info, io.BytesIO(random.Random(seed).randbytes(info.size)))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="is no whole archive"):
        get(tmp_path, Archive(f"{host.address}/archive"))
    file.write_bytes(whole)
    assert get(tmp_path, Archive(f"{host.address}/archive")).read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "content", "good"),
    [
        ("a.csv", b"path,fold", True),
        ("a.csv", b"<!doctype html>", False),
        ("a.sf2", b"RIFF....sfbk", True),
        ("a.sf2", b"<html>", False),
        ("a.z01", b"PK\x07\x08", True),
        ("a.z01", b"<html>", False),
        ("a.z02", b"< any bytes", True),
        ("a.z02", b"<HTML>", False),
    ],
)
def test_parts_and_single_files_are_told_from_pages(tmp_path, host, name, content, good):
    (host.folder / name).write_bytes(content)
    path = tmp_path / "out" / name
    with contextlib.nullcontext() if good else pytest.raises(UserError, match="no whole archive"):
        download(path, dataset="vivae", archive=Archive(f"{host.address}/{name}"), licence="", checksum="none")
    assert path.exists() == good


# --- an archive that is there


def wanting(tmp_path, archive, message, checksum="", dataset="vivae"):
    with pytest.raises(UserError, match=message):
        get(tmp_path, archive, checksum, dataset)


def test_an_archive_that_is_there_is_not_fetched_again(tmp_path, host, url):
    path = get(tmp_path, Archive(url, MD5))
    seen = path.stat().st_mtime_ns, path.stat().st_ino
    host.close()
    for archive, asked in [
        (Archive(url, MD5), ""),
        (Archive(url, MD5), "none"),
        (Archive(url), f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"),
        (Archive("http://127.0.0.1:1/mirror.zip", MD5), ""),  # the same file by its checksum
    ]:
        get(tmp_path, archive, asked)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == seen
    assert len(host.asked) == 1


@pytest.mark.parametrize("checksum", ["", "none", f"md5:{'0' * 32}"])
def test_a_verified_archive_stays_until_another_is_verified(tmp_path, host, url, checksum):
    """Another address, whose host has nothing, a page, half a file, and at last the right one."""
    path = get(tmp_path, Archive(url, MD5))
    record = path.with_name("a.zip.record.json").read_text()
    other = Archive(f"{host.address}/other.zip")
    for content in (None, b"<html>", OTHER[:60_000]):
        if content is not None:
            (host.folder / "other.zip").write_bytes(content)
        wanting(tmp_path, other, "other.zip", checksum)
        assert path.read_bytes() == CONTENT
        assert path.with_name("a.zip.record.json").read_text() == record
    (host.folder / "other.zip").write_bytes(OTHER)
    new = checksum if checksum in ("", "none") else f"md5:{hashlib.md5(OTHER).hexdigest()}"
    assert get(tmp_path, other, new).read_bytes() == OTHER
    assert read_json(path.with_name("a.zip.record.json"))["url"] == other.url


def test_a_call_that_ended_between_its_last_two_steps_is_finished(tmp_path, host, url, monkeypatch):
    path = get(tmp_path, Archive(url, MD5))
    (host.folder / "other.zip").write_bytes(OTHER)
    other = Archive(f"{host.address}/other.zip")
    monkeypatch.setattr(module, "finish", lambda part, path: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        get(tmp_path, other)
    assert path.read_bytes() == CONTENT
    monkeypatch.undo()
    host.close()
    assert get(tmp_path, other).read_bytes() == OTHER
    assert files(tmp_path) == FETCHED


@pytest.mark.parametrize("checksum", ["", "none"])
def test_a_file_on_this_machine_that_changed_is_copied_again(tmp_path, host, url, checksum):
    source = host.folder / "a.zip"
    path = get(tmp_path, Archive(source.as_uri()), checksum)
    before = path.stat().st_ino
    get(tmp_path, Archive(source.as_uri()), checksum)
    assert path.stat().st_ino == before
    source.write_bytes(b"not an archive")
    wanting(tmp_path, Archive(source.as_uri()), "is no whole archive", checksum)
    assert path.read_bytes() == CONTENT
    source.write_bytes(OTHER)
    assert get(tmp_path, Archive(source.as_uri()), checksum).read_bytes() == OTHER


def put(tmp_path, content):
    path = tmp_path / "out/a.zip"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_an_archive_that_the_user_put_there_is_checked_and_never_replaced(tmp_path, host, url):
    path = put(tmp_path, OTHER)
    message = rf"vivae: {path} has {MD5.replace(':', ' ').replace(MD5[4:], hashlib.md5(OTHER).hexdigest())}, expected {MD5[4:]}"
    wanting(tmp_path, Archive(url, MD5), rf"{message}.*left as it is: put the right file in its place, or move it")
    assert path.read_bytes() == OTHER
    put(tmp_path, CONTENT)
    get(tmp_path, Archive(url, MD5))
    assert host.asked == []
    record = Record.read(path)
    assert (record.fetched, record.expected, record.bytes) == (False, MD5, len(CONTENT))
    wanting(tmp_path, Archive(f"{host.address}/other.zip"), "put there for .*a.zip, not fetched .*move it elsewhere")
    wanting(tmp_path, Archive(url, f"md5:{'0' * 32}"), "move it elsewhere")
    assert path.read_bytes() == CONTENT


def test_without_a_known_checksum_the_users_file_counts_if_it_is_an_archive(tmp_path, host, url):
    path = put(tmp_path, b"<html>")
    wanting(tmp_path, Archive(url), "a.zip is no whole archive.*put the right file there, or move it away")
    assert path.read_bytes() == b"<html>"
    put(tmp_path, OTHER)
    assert get(tmp_path, Archive(url)).read_bytes() == OTHER
    assert host.asked == []


def test_a_folder_in_place_of_the_archive_is_named(tmp_path, url):
    (tmp_path / "out/a.zip").mkdir(parents=True)
    wanting(tmp_path, Archive(url, MD5), r"a.zip is a folder; set datasets.vivae.path to it")


def test_a_fetched_archive_that_was_changed_is_the_users(tmp_path, host, url):
    path = get(tmp_path, Archive(url, MD5))
    put(tmp_path, OTHER)
    wanting(tmp_path, Archive(url, MD5), "is left as it is")
    assert path.read_bytes() == OTHER
    put(tmp_path, CONTENT)  # the right one again, at another time
    os.utime(path, ns=(1, 1))
    get(tmp_path, Archive(url, MD5))
    assert Record.read(path).fetched
    assert Record.read(path).is_of(path)
    assert len(host.asked) == 1


def test_a_record_that_cannot_be_read_is_made_again(tmp_path, host, url):
    path = get(tmp_path, Archive(url, MD5))
    for damaged in ("", "[]", "{}", '{"url": 1}'):
        path.with_name("a.zip.record.json").write_text(damaged)
        get(tmp_path, Archive(url, MD5))
        assert Record.read(path).expected == MD5
    assert len(host.asked) == 1


def test_a_fetch_without_checks_is_checked_when_that_is_asked_for(tmp_path, zenodo):
    archive = Archive(f"{zenodo.address}/records/4066235/files/VIVAE.zip")
    place = zenodo.folder / "records/4066235/files/VIVAE.zip"
    place.write_bytes(OTHER)
    path = get(tmp_path, archive, checksum="none")
    wanting(tmp_path, archive, "the download is damaged or has changed")
    assert path.read_bytes() == OTHER
    place.write_bytes(CONTENT)
    assert get(tmp_path, archive).read_bytes() == CONTENT


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
    assert files(tmp_path) == FETCHED
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
    assert files(tmp_path) == FETCHED


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
    with pytest.raises(UserError, match=r"404.*AudioWAV/3.wav"):
        get(tmp_path, many)  # what was fetched without checks is not enough
    assert len(zipfile.ZipFile(tmp_path / "out/a.zip").namelist()) == 29


def test_an_archive_of_many_files_that_the_user_put_there_is_held_against_the_manifest(tmp_path, host, many):
    path = tmp_path / "out/a.zip"
    path.parent.mkdir()

    def put(contents):
        with zipfile.ZipFile(path, "w") as archive:
            for number, content in enumerate(contents):
                archive.writestr(f"AudioWAV/{number}.wav", content)

    right = [bytes([number]) * 1000 for number in range(30)]
    put([*right[:-1], b"other"])
    wanting(tmp_path, many, r"vivae: AudioWAV/29.wav in .*a.zip has sha256 \w+, expected \w+: put the right file there")
    put(right[:-1])
    wanting(tmp_path, many, r"a.zip has no whole AudioWAV/29.wav")
    put(right)
    get(tmp_path, many)
    assert host.asked == []
    assert not Record.read(path).fetched
