import io
import tarfile
import zipfile

import pytest

from doppelgangers.datasets.archive import Tree
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
    with pytest.raises(UserError, match=r"data.tar.gz is (damaged|neither a folder nor a whole).* delete it and run again"):
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
        UserError, match=r"data.zip is neither a folder nor a whole zip or tar archive; if it was downloaded, delete it"
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
