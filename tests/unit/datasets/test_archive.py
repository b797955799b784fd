import io
import os
import stat
import tarfile
import time
import unicodedata
import zipfile

import pytest

from doppelgangers.datasets.archive import Tree, remedy
from doppelgangers.datasets.audio_files import audio_files
from doppelgangers.datasets.records import Record
from doppelgangers.errors import UserError
from tests.archives import write_folder, write_split_zip, write_tar_gz, write_zip
from tests.miniatures import sound

FILES = {"top/table.csv": b"a,b\n1,2\n", "top/sounds/one.wav": sound(0, 1, 16000), "top/sounds/two.wav": sound(0, 2, 16000)}
WRITERS = {"zip": write_zip, "tar.gz": write_tar_gz, "folder": write_folder, "split.zip": write_split_zip}


@pytest.mark.parametrize("kind", WRITERS)
def test_all_forms_read_the_same(tmp_path, kind):
    written = WRITERS[kind](tmp_path / f"data.{kind}", FILES)
    with Tree(written if isinstance(written, list) else [written], tmp_path / "scratch") as tree:
        assert tree.names == sorted(FILES)
        assert tree.root("table.csv") == tree.root("sounds/one.wav") == "top/"
        tree.select(FILES)
        assert {name: tree.read(name) for name in tree.names} == FILES
        with pytest.raises(UserError, match=r"it has no other.csv: it is not this dataset, or not all of it"):
            tree.root("other.csv")


def test_several_files_are_one_tree(tmp_path):
    parts = [write_zip(tmp_path / "a.zip", {"a/x.wav": b"x"}), write_tar_gz(tmp_path / "b.tar.gz", {"./b//y.csv": b"y"})]
    (tmp_path / "index.csv").write_bytes(b"i")
    with Tree([*parts, tmp_path / "index.csv"], tmp_path / "scratch") as tree:
        assert tree.names == ["a/x.wav", "b/y.csv", "index.csv"]
        assert [tree.read(name) for name in tree.names] == [b"x", b"y", b"i"]


def test_a_tar_archive_is_unpacked_no_further_than_asked_and_nothing_stays(tmp_path):
    first = write_tar_gz(tmp_path / "first/data.tar.gz", FILES)
    second = write_tar_gz(tmp_path / "second/data.tar.gz", {"other/three.wav": b"3"})
    scratch = tmp_path / "scratch"
    with Tree([first, second], scratch) as tree:
        assert tree.read("top/table.csv") == FILES["top/table.csv"]
        assert not scratch.exists()
        tree.select(name for name in ("top/sounds/two.wav", "other/three.wav"))
        assert sum(path.is_file() for path in scratch.rglob("*")) == 2
        assert tree.read("top/sounds/two.wav") == FILES["top/sounds/two.wav"]
        assert tree.read("other/three.wav") == b"3"
    assert not scratch.exists()


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
@pytest.mark.parametrize("name", ["../evil.wav", "a/../../evil.wav", "/etc/evil.wav", "..\\evil.wav", "C:\\evil.wav"])
def test_members_that_point_outside_are_refused_by_name(tmp_path, write, name):
    archive = write(tmp_path / "data.archive", {"good.wav": b"", name: b""})
    message = rf"{archive} has a member '[^']*evil\.wav', which points outside of it: do not trust this archive"
    with pytest.raises(UserError, match=message):
        Tree([archive], tmp_path / "scratch")


def test_a_name_that_begins_with_dots_is_not_outside(tmp_path):
    with Tree([write_zip(tmp_path / "data.zip", {"...and more.wav": b"1"})], tmp_path / "scratch") as tree:
        assert tree.names == ["...and more.wav"]


def test_links_and_devices_of_a_tar_archive_are_ignored(tmp_path):
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        for name, kind, target in (("link.wav", tarfile.SYMTYPE, "/etc/passwd"), ("device.wav", tarfile.CHRTYPE, "")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("empty.wav"), io.BytesIO())
    with Tree([tmp_path / "data.tar"], tmp_path / "scratch") as tree:
        assert tree.names == ["empty.wav"]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_tar_archive_that_was_cut_off_is_refused(tmp_path, share):
    archive = write_tar_gz(tmp_path / "data.tar.gz", FILES | {f"{n}.wav": sound(n, n, 16000) for n in range(8)})
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    with pytest.raises(
        UserError,
        match=r"data.tar.gz is (damaged|neither a folder nor a whole).*; compare it with the place it",
    ):
        Tree([archive], tmp_path / "scratch")


def test_a_tar_archive_that_was_cut_off_within_a_header_is_refused(tmp_path):
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as tar:
        for name in ("one.wav", "two.wav"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    archive.write_bytes(archive.read_bytes()[:700])
    with pytest.raises(UserError, match=r"data.tar is damaged \(it ends within a header\)"):
        Tree([archive], tmp_path / "scratch")


def test_a_tar_archive_that_was_cut_off_within_a_table_is_refused(tmp_path):
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("table.csv")
        member.size = 2000
        tar.addfile(member, io.BytesIO(bytes(2000)))
    archive.write_bytes(archive.read_bytes()[:1500])
    with pytest.raises(UserError, match=r"data.tar is damaged \(unexpected end of data\)"):
        Tree([archive], tmp_path / "scratch")


def test_a_zip_archive_that_was_cut_off_is_refused(tmp_path):
    archive = write_zip(tmp_path / "data.zip", FILES)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(
        UserError, match=r"data.zip is neither a folder nor a whole zip or tar archive; compare it with the place it comes from"
    ):
        Tree([archive], tmp_path / "scratch")


def test_a_damaged_member_of_a_zip_archive_is_named(tmp_path):
    archive = write_zip(tmp_path / "data.zip", FILES)
    content = bytearray(archive.read_bytes())
    start = content.index(b"one.wav") + 1000
    content[start : start + 50] = bytes(50)
    archive.write_bytes(content)
    with Tree([archive], tmp_path / "scratch") as tree, pytest.raises(UserError, match=r"top/sounds/one.wav cannot be read: "):
        tree.read("top/sounds/one.wav")


@pytest.mark.parametrize("name", ["page.zip", "page.tar.gz", "page.html"])
def test_what_is_no_archive_is_refused(tmp_path, name):
    (tmp_path / name).write_text("<html>Not found</html>")
    with pytest.raises(UserError, match=rf"{name} is neither a folder nor a whole zip or tar archive"):
        Tree([tmp_path / name], tmp_path / "scratch")
    with pytest.raises(UserError, match=r"nowhere.zip does not exist"):
        Tree([tmp_path / "nowhere.zip"], tmp_path / "scratch")


def test_a_split_zip_whose_directory_is_split_too_is_read(tmp_path):
    files = {f"a folder with a long name, to fill the directory of the archive/{n:04d}.txt": b"%d" % n for n in range(1200)}
    parts = write_split_zip(tmp_path / "data.zip", files)
    assert len(parts) > 3
    with Tree(parts, tmp_path / "scratch") as tree:
        assert {name: tree.read(name) for name in tree.names} == files


def test_a_split_zip_with_parts_missing_is_refused(tmp_path):
    files = {f"{n}.wav": sound(n, n, 44100) for n in range(20)}
    *first, last = write_split_zip(tmp_path / "data.zip", files)
    count = len(first) + 1
    for parts in ([last], [*first[1:], last]):
        with pytest.raises(UserError, match=rf"data.zip cannot .*it has {count} parts, and {len(parts)} are here"):
            Tree(parts, tmp_path / "scratch")


def test_what_macos_adds_is_ignored(tmp_path):
    archive = write_zip(tmp_path / "data.zip", {"a.wav": b"", "__MACOSX/._a.wav": b"", "._b.wav": b""})
    with Tree([archive], tmp_path / "scratch") as tree:
        assert tree.names == ["a.wav"]


def test_an_encrypted_or_unknown_member_is_named(tmp_path, monkeypatch):
    archive = write_zip(tmp_path / "data.zip", {"a.wav": b"1"})
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: (_ for _ in ()).throw(NotImplementedError("compression type 9")))
    with (
        Tree([archive], tmp_path / "scratch") as tree,
        pytest.raises(UserError, match=r"a.wav cannot be read: compression type 9"),
    ):
        tree.read("a.wav")


# --- links


def test_links_in_a_folder_are_followed_and_have_an_end(tmp_path):
    top = write_folder(tmp_path / "top", {"a/1.wav": b"1", "b/2.wav": b"2"})
    write_folder(tmp_path / "disk", {"3.wav": b"3", "deep/4.wav": b"4"})
    (top / "more").symlink_to(tmp_path / "disk")
    (top / "5.wav").symlink_to(tmp_path / "disk/3.wav")
    (top / "itself").symlink_to(top)
    (top / "a/up").symlink_to("..")
    (tmp_path / "disk/deep/round").symlink_to(tmp_path / "disk")
    (top / "around").symlink_to("around")
    with Tree([top], tmp_path / "scratch") as tree:
        assert tree.names == ["5.wav", "a/1.wav", "b/2.wav", "more/3.wav", "more/deep/4.wav"]
        assert [tree.read(name) for name in tree.names] == [b"3", b"1", b"2", b"3", b"4"]
        assert tree.same_file("5.wav") == tree.same_file("more/3.wav") != tree.same_file("more/deep/4.wav")


def test_two_folders_with_links_to_each_other_have_an_end(tmp_path):
    top = write_folder(tmp_path / "top", {"a/1.wav": b"1", "b/2.wav": b"2"})
    (top / "a/other").symlink_to("../b")
    (top / "b/other").symlink_to("../a")
    with Tree([top], tmp_path / "scratch") as tree:
        assert tree.names == ["a/1.wav", "a/other/2.wav", "b/2.wav", "b/other/1.wav"]
    for number in range(9):
        write_folder(top, {f"{number}/0.wav": b""})
        for other in range(9):
            (top / f"{number}/to{other}").symlink_to(f"../{other}")
    with pytest.raises(UserError, match=r"top/.*too many of its links lead to folders that have links themselves"):
        Tree([top], tmp_path / "scratch")


def test_a_link_that_leads_nowhere_is_named_when_it_is_asked_for(tmp_path):
    top = write_folder(tmp_path / "top", {"a.wav": b"1"})
    (top / "gone.wav").symlink_to("/mnt/gone/b.wav")
    (top / "disk").symlink_to("/mnt/gone")
    (top / ".#notes.txt").symlink_to("someone@somewhere")
    with Tree([top], tmp_path / "scratch") as tree:
        assert tree.names == ["a.wav"]
        assert audio_files(tree) == ["a.wav", "disk", "gone.wav"]
        with pytest.raises(UserError, match=r"gone.wav cannot be read: it is a link to /mnt/gone/b.wav, which is not there"):
            tree.read("gone.wav")


def write_links(path, files, links, kind=tarfile.SYMTYPE):
    """A tar or zip archive with files and links."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
            for name, target in links.items():
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
                archive.writestr(info, target)
        return path
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    return path


@pytest.mark.parametrize("name", ["data.zip", "data.tar.gz"])
def test_links_of_an_archive_are_followed_to_what_is_in_it(tmp_path, name):
    files = {"top/a/1.wav": b"1", "top/a/deep/2.wav": b"2"}
    inside = {"top/3.wav": "a/1.wav", "top/b": "a", "top/c/4.wav": "../b/deep/2.wav", "top/a/up": "..", "top/d": "./a//deep"}
    leave = {"top/out.wav": "/etc/passwd", "top/out2.wav": "../../x.wav", "top/gone.wav": "5.wav", "top/self.wav": "self.wav"}
    with Tree([write_links(tmp_path / name, files, inside | leave)], tmp_path / "scratch") as tree:
        expected = {**files, "top/3.wav": b"1", "top/b/1.wav": b"1", "top/b/deep/2.wav": b"2", "top/c/4.wav": b"2"}
        expected["top/d/2.wav"] = b"2"
        assert tree.names == sorted(expected)
        tree.select(tree.names)
        assert {name: tree.read(name) for name in tree.names} == expected
        assert tree.same_file("top/3.wav") == tree.same_file("top/a/1.wav")
        for link in leave:
            with pytest.raises(UserError, match=rf"{link} cannot be read: it is a link to .*, which is not in .*{name}"):
                tree.read(link)
        assert set(audio_files(tree)) == {*expected, *leave}  # they are named as damaged, and not passed over


def test_hard_links_of_a_tar_archive_are_files(tmp_path):
    links = {"top/b.wav": "top/a.wav", "top/c.wav": "top/b.wav"}
    archive = write_links(tmp_path / "data.tar.gz", {"top/a.wav": b"1"}, links, tarfile.LNKTYPE)
    with Tree([archive], tmp_path / "scratch") as tree:
        tree.select(["top/c.wav"])
        assert [tree.read(name) for name in ("top/a.wav", "top/b.wav", "top/c.wav")] == [b"1"] * 3


# --- names


def unflagged(path):
    """A zip whose names are in UTF-8 without saying so, as macOS writes them."""
    content = bytearray(path.read_bytes())
    for sign, at in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        place = 0
        while (place := content.find(sign, place)) >= 0:
            content[place + at] &= ~8
            place += 4
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar_gz, lambda *a: unflagged(write_zip(*a))])
def test_names_are_the_same_in_both_codes_of_their_letters(tmp_path, write, form):
    name = "Vögel/Krähe é.wav"
    with Tree([write(tmp_path / "data", {unicodedata.normalize(form, name): b"1"})], tmp_path / "scratch") as tree:
        assert tree.names == [unicodedata.normalize("NFC", name)]
        tree.select(tree.names)
        assert tree.read(tree.names[0]) == b"1"


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar_gz])
def test_two_files_with_one_name_in_two_codes_are_not_mixed_up(tmp_path, write):
    files = {unicodedata.normalize(form, "Krähe.wav"): form.encode() for form in ("NFC", "NFD")}
    message = r"Krähe.wav cannot be read: two files have this name"
    with Tree([write(tmp_path / "data", files)], tmp_path / "scratch") as tree, pytest.raises(UserError, match=message):
        tree.read("Krähe.wav")


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar_gz])
def test_colons_are_letters_like_others(tmp_path, write):
    files = {name: name.encode() for name in ("A:1.wav", "10:30:00.wav", "C:/2.wav", "a:")}
    with Tree([write(tmp_path / "data", files)], tmp_path / "scratch") as tree:
        tree.select(tree.names)
        assert {name: tree.read(name) for name in tree.names} == files


@pytest.mark.parametrize("write", [write_zip, write_tar_gz])
def test_double_slashes_and_dots_in_an_archive_do_not_count(tmp_path, write):
    with Tree([write(tmp_path / "data", {"./a//b/./c.wav": b"1", "a/x/../d.wav": b"2"})], tmp_path / "scratch") as tree:
        tree.select(tree.names)
        assert [(name, tree.read(name)) for name in tree.names] == [("a/b/c.wav", b"1"), ("a/d.wav", b"2")]


def test_two_tables_at_the_same_depth_are_not_chosen_from(tmp_path):
    top = write_folder(tmp_path / "top", {"a/clips.csv": b"1", "bb/clips.csv": b"2", "a/old/clips.csv": b"3"})
    with Tree([top], tmp_path / "scratch") as tree, pytest.raises(UserError, match=r"several clips.csv, .*: a/clips.csv, bb/"):
        tree.root("clips.csv")
    (top / "clips.csv").write_bytes(b"4")
    with Tree([top], tmp_path / "scratch") as tree:
        assert tree.root("clips.csv") == ""


# --- damages


METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_member_of_any_compression_is_named_and_the_others_are_read(tmp_path, method):
    archive, content = tmp_path / "data.zip", sound(0, 1, 16000)
    with zipfile.ZipFile(archive, "w", METHODS[method]) as writer:
        for name in ("a.wav", "b.wav", "c.wav"):
            writer.writestr(name, content)
    with zipfile.ZipFile(archive) as reader:
        start = reader.getinfo("b.wav").header_offset + 100
    whole = archive.read_bytes()
    for damage in (bytes(40), b"\xff" * 40, os.urandom(40)):
        archive.write_bytes(whole[:start] + damage + whole[start + 40 :])
        with Tree([archive], tmp_path / "scratch") as tree:
            assert tree.read("a.wav") == tree.read("c.wav") == content
            with pytest.raises(UserError, match=r"^b.wav cannot be read: .*data.zip: compare it with the place"):
                tree.read("b.wav")


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
@pytest.mark.parametrize("share", [0.3, 0.97])
def test_a_tar_archive_of_any_compression_that_was_cut_off_is_refused(tmp_path, mode, share):
    archive = tmp_path / f"data.tar.{mode}"
    with tarfile.open(archive, f"w:{mode}") as tar:
        for name, content in {f"{n}.wav": sound(n, n, 16000) for n in range(8)}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    content = archive.read_bytes().rstrip(b"\0")
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match=r"data.tar.* is (damaged|neither)"):
        Tree([archive], tmp_path / "scratch")


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_a_damaged_compressed_tar_archive_is_refused(tmp_path, mode):
    archive = tmp_path / f"data.tar.{mode}"
    with tarfile.open(archive, f"w:{mode}") as tar:
        tar.add(write_folder(tmp_path / "mine", {f"{n}.wav": sound(n, n, 16000) for n in range(8)}), "mine")
    content = bytearray(archive.read_bytes())
    content[len(content) * 2 // 3 : len(content) * 2 // 3 + 20] = bytes(20)
    archive.write_bytes(content)
    with pytest.raises(UserError, match=r"data.tar.* is (damaged \(.*mine|neither a folder).*; compare it with the place"):
        Tree([archive], tmp_path / "scratch")


def plain_tar(path, names):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path.read_bytes()


def test_a_tar_archive_does_not_end_at_a_damaged_header(tmp_path):
    """Python's tarfile takes it for the end, and what follows is lost."""
    content = bytearray(plain_tar(tmp_path / "data.tar", ["1.wav", "2.wav", "3.wav"]))
    content[512 + 200] ^= 1
    (tmp_path / "data.tar").write_bytes(content)
    with pytest.raises(UserError, match=r"data.tar is damaged \(bad checksum\) in or behind 1.wav"):
        Tree([tmp_path / "data.tar"], tmp_path / "scratch")


def test_a_tar_archive_that_was_cut_off_between_members_is_refused(tmp_path):
    content = plain_tar(tmp_path / "data.tar", ["1.wav", "2.wav", "3.wav"])
    (tmp_path / "data.tar").write_bytes(content[:1024])
    with pytest.raises(UserError, match=r"data.tar is damaged \(its end is missing\) in or behind 2.wav"):
        Tree([tmp_path / "data.tar"], tmp_path / "scratch")


def test_joined_tar_archives_are_not_read_in_part(tmp_path):
    first, second = plain_tar(tmp_path / "1.tar", ["1.wav"]), plain_tar(tmp_path / "2.tar", ["2.wav"])
    (tmp_path / "data.tar").write_bytes(first + second)
    with pytest.raises(UserError, match=r"data.tar is damaged \(there is more behind its end, as when archives were joined"):
        Tree([tmp_path / "data.tar"], tmp_path / "scratch")


def test_a_table_of_a_tar_archive_that_is_too_large_to_keep_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("doppelgangers.datasets.tar.TABLE_BYTES", 100)
    archive = write_tar_gz(tmp_path / "data.tar.gz", {"clips.csv": b"x" * 101, "b.csv": b"y" * 100, "c.wav": b"z"})
    with Tree([archive], tmp_path / "scratch") as tree:
        assert tree.tars[0].tables.keys() == {"b.csv"}
        assert [tree.read(name) for name in tree.names] == [b"y" * 100, b"z", b"x" * 101]


def test_only_what_was_fetched_may_be_deleted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resources/downloads/birds").mkdir(parents=True)
    fetched = tmp_path / "resources/downloads/birds/archive"
    fetched.write_bytes(b"<html>")
    about = fetched.stat()
    Record("https://x", True, "2024-05-31", about.st_size, about.st_mtime_ns, {}, "").write(fetched)
    with pytest.raises(UserError, match=r"is neither .* archive; delete it and run again, so that it is fetched anew"):
        Tree([fetched.relative_to(tmp_path)], tmp_path / "scratch")
    put_there = tmp_path / "resources/downloads/birds/mine.zip"
    put_there.write_bytes(b"")
    for own in (put_there, tmp_path / "mine.zip", "mine.zip", "resources/mine.zip", "resources/downloads/../mine.zip"):
        assert "delete" not in remedy(tmp_path.__class__(own))
    own = {
        "a.7z": (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read: unpack it and name the folder"),
        "a.wav": (sound(0, 1, 16000), "is a single sound, not a folder or archive of them: name the folder"),
        "a.tar.zst": (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard, which is not read"),
        "a.zip": (b"", "is neither a folder nor a whole zip or tar archive; compare it"),
    }
    for name, (content, message) in own.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=f"{name} {message}") as error:
            Tree([tmp_path / name], tmp_path / "scratch")
        assert "delete" not in str(error.value)


def test_a_folder_of_archives_says_that_they_are_archives(tmp_path):
    top = write_folder(tmp_path / "top", {"FSD.dev.z01": b"", "FSD.dev.zip": b""})
    with (
        Tree([top], tmp_path / "scratch") as tree,
        pytest.raises(UserError, match=r"it has archives \(FSD.dev.z01, FSD.dev.zip\)"),
    ):
        tree.root("dev.csv")


def test_a_file_without_permission_is_named(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    top = write_folder(tmp_path / "top", {"sub/a.wav": b"1"})
    (top / "sub").chmod(0)
    try:
        with pytest.raises(UserError, match=r"top/sub cannot be read: no permission"):
            Tree([top], tmp_path / "scratch")
    finally:
        (top / "sub").chmod(0o755)


def test_many_files_are_listed_in_no_time(tmp_path):
    for folder in range(20):
        (tmp_path / f"top/{folder}").mkdir(parents=True)
        for number in range(500):
            (tmp_path / f"top/{folder}/{number}.wav").touch()
    start = time.process_time()
    with Tree([tmp_path / "top"], tmp_path / "scratch") as tree:
        assert len(audio_files(tree)) == 10_000
    assert time.process_time() - start < 2  # seconds; it took 0.2
