"""Folders and archives (zip, split zip, tar) of a dataset, which are all read in the same way: by the names of their files."""

import collections
import functools
import lzma
import os
import posixpath
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

from doppelgangers.datasets.members import follow_links, leads_to, normal, points_outside, target_of, walk
from doppelgangers.datasets.records import ours
from doppelgangers.datasets.split_zip import name_of, open_zip
from doppelgangers.datasets.tar import Tar
from doppelgangers.errors import UserError
from doppelgangers.files import require_space

PLAIN = (".csv", ".sf2")  # single files that a dataset may consist of
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz")
PART = re.compile(r"\.z\d\d")  # suffix of all parts of a split zip but the last
UNPACK = "unpack it with another program and name the folder"
UNREAD = {b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a rar archive", b"\x28\xb5\x2f\xfd": "compressed with Zstandard"}
SOUNDS = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b".snd", b"caff", b"fLaC", b"OggS", b"ID3", b"\xff\xfb")
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError),
    *(OSError, RuntimeError, ValueError),  # of bz2 and of what is missing; encrypted, or compressed in another way; names
)


class Tree:
    """Files of a dataset, as if they all lay in one folder.

    Args:
        files: folders, archives, tables and SoundFonts; the parts of a split zip (.z01, .z02, ..., .zip) are one archive.
            Links are followed: in a folder wherever they lead, in an archive to what is in it.
        scratch: folder to unpack tar archives to, because they can only be read from beginning to end. It is deleted at
            the end of the `with` block. Folders and zip archives are read where they are.

    Attributes:
        paths: the folders, archives and files.
        names: of all files in them, sorted, in one spelling (`members.normal`).
        sources: name -> the file on disk that holds it: itself, or an archive.
        unread: name -> why it cannot be read, for links that lead nowhere and names that two files have.

    Raises:
        UserError: naming a path that does not exist, is none of these, is damaged, or has a member that points outside.
    """

    def __init__(self, files: Iterable[Path | str], scratch: Path):
        self.paths = [Path(file) for file in files]
        self.scratch = scratch
        self.readers: dict[str, Callable[[], bytes]] = {}
        self.sources: dict[str, Path] = {}
        self.spellings: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.unread: dict[str, str] = {}
        self.tars: list[Tar] = []
        for path in self.paths:
            if PART.fullmatch(path.suffix):
                continue  # read with the last part
            if not path.exists():
                raise UserError(f"{path} does not exist")
            try:
                self.open(path)
            except PermissionError as error:
                raise UserError(f"{error.filename or path} cannot be read: no permission; change its owner or mode") from error
        self.names = sorted(self.readers)

    def open(self, path: Path) -> None:
        if path.is_dir():
            self.add_folder(path)
        elif tarfile.is_tarfile(path):
            self.add_tar(path)
        elif zipfile.is_zipfile(path):
            self.add_zip(path, sorted(part for part in self.paths if is_part(part, path)))
        elif path.suffix in PLAIN:
            self.add(path, path.name, path.read_bytes)
        else:
            raise UserError(f"{path} {what_it_is(path)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __str__(self) -> str:
        return ", ".join(map(str, self.paths))

    def read(self, name: str) -> bytes:
        """Content of a file; of a tar archive only small tables and files that were selected are read at once.

        Raises:
            UserError: when the file is damaged.
        """
        if name in self.unread:
            raise UserError(f"{name} cannot be read: {self.unread[name]}")
        try:
            return self.readers[name]()
        except DAMAGED as error:
            source = self.sources[name]
            # Encrypted or compressed in a way that Python does not know: those are no damages.
            what = UNPACK if isinstance(error, RuntimeError) else remedy(source)
            within = f"; it is in {source}: {what}" if source in self.paths else ""
            raise UserError(f"{name} cannot be read: {error}{within}") from error

    def root(self, marker: str) -> str:
        """The folder that contains the file `marker`, "" or ending in "/"; the name of an archive's top folder varies.

        Raises:
            UserError: when there is no such file.
        """
        found = [name for name in self.names if name == marker or name.endswith(f"/{marker}")]
        if found:
            top = min(name.count("/") for name in found)
            nearest = {self.same_file(name): name for name in reversed(found) if name.count("/") == top}
            if len(nearest) > 1:
                raise UserError(f"it has several {marker}, name the folder of one: {', '.join(sorted(nearest.values())[:10])}")
            return nearest.popitem()[1].removesuffix(marker)
        if marker in self.unread:
            raise UserError(f"{marker} cannot be read: {self.unread[marker]}")
        packed = [name for name in self.names if name.endswith(ARCHIVES) or PART.fullmatch(posixpath.splitext(name)[1])]
        inside = f"; it has archives ({', '.join(packed[:10])}), and they are read when all of them are there" if packed else ""
        raise UserError(f"it has no {marker}: it is not this dataset, or not all of it{inside}")

    def same_file(self, name: str) -> object:
        """What is equal for two names of one file, which links may give it."""
        source = self.sources[name]
        if any(source == path for path in self.paths):  # an archive, or a single file
            return source, self.links.get(name, name)
        about = source.stat()
        return about.st_dev, about.st_ino

    def select(self, names: Iterable[str]) -> None:
        """Unpack from tar archives the files that will be read, each archive in one pass; call it before `read`."""
        names = {self.links.get(name, name) for name in names}
        for number, tar in enumerate(self.tars):
            if wanted := names & tar.sizes.keys():
                require_space(self.scratch, sum(tar.sizes[name] for name in wanted), f"unpacking {tar.path}")
                self.readers.update(tar.unpack(wanted, self.scratch / str(number)))

    def add(self, source: Path, spelling: str, reader: Callable[[], bytes]) -> None:
        """Take a file in; `spelling` is its name as it is written."""
        name = normal(spelling)
        if posixpath.basename(name).startswith("._"):  # macOS adds a file of attributes for each file
            return
        if name in self.spellings and other_letters(self.spellings[name], spelling):
            self.unread[name] = "two files have this name, in two codes of the same letters; rename one of them"
        self.readers[name], self.sources[name], self.spellings[name] = reader, source, spelling

    def add_archive(self, path: Path, files: Mapping[str, Callable[[], bytes]], links: Mapping[str, str]) -> None:
        """Take in an archive: its files, by their names as they are written, and its links with what they point to."""
        for spelling, reader in files.items():
            if points_outside(spelling):
                raise UserError(f"{path} has a member {spelling!r}, which points outside of it: do not trust this archive")
            self.add(path, spelling, reader)
        try:
            found, broken = follow_links(links, set(map(normal, files)))
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        for name, file in found.items():
            self.add(path, name, functools.partial(self.read, file))
        self.links |= found
        self.unread |= {name: f"it is a link to {links[name]}, which is not in {path}" for name in broken}

    def add_folder(self, folder: Path) -> None:
        for name, entry in walk(folder, collections.Counter()):
            if leads_to(entry, os.DirEntry.is_file):
                self.add(Path(entry.path), name, Path(entry.path).read_bytes)
            elif entry.is_symlink():
                self.unread[normal(name)] = f"it is a link to {Path(entry.path).readlink()}, which is not there"

    def add_zip(self, path: Path, parts: list[Path]) -> None:
        try:
            archive = open_zip([*parts, path])
            members = {name_of(info): info for info in archive.infolist() if not info.is_dir()}
            links = {}
            for name in [name for name, info in members.items() if stat.S_ISLNK(info.external_attr >> 16)]:
                links[normal(name)] = target_of(name, os.fsdecode(archive.read(members.pop(name))))
        except DAMAGED as error:
            raise UserError(f"{path} cannot be read as a zip archive ({error}); {remedy(path)}") from error
        self.add_archive(path, {name: functools.partial(archive.read, info) for name, info in members.items()}, links)

    def add_tar(self, path: Path) -> None:
        tar = Tar(path, remedy(path))
        self.tars.append(tar)
        self.add_archive(path, {name: functools.partial(tar.read, normal(name)) for name in tar.spellings}, tar.links)


def other_letters(one: str, other: str) -> bool:
    """Whether two spellings of one name differ in more than the way to write a path."""
    return posixpath.normpath(one) != posixpath.normpath(other)


def is_part(path: Path, last: Path) -> bool:
    """Whether a file is a part of the split zip whose last part is given."""
    return bool(PART.fullmatch(path.suffix)) and path.with_suffix(last.suffix) == last


def remedy(path: Path) -> str:
    """What to do about a damaged file. What we fetched can be fetched again; a file of the user's own is never touched."""
    if ours(path):
        return "delete it and run again, so that it is fetched anew"
    return "compare it with the place it comes from, and copy it anew"


def what_it_is(path: Path) -> str:
    """Why a file cannot be read as a folder of sounds, and what to do."""
    with open(path, "rb") as file:
        start = file.read(4)
    known = next((kind for mark, kind in UNREAD.items() if start == mark), "")
    if known:
        return f"is {known}, which is not read: unpack it and name the folder, or pack the files as zip or tar.gz"
    if start.startswith(SOUNDS):
        return "is a single sound, not a folder or archive of them: name the folder that it lies in"
    return f"is neither a folder nor a whole zip or tar archive; {remedy(path)}"
