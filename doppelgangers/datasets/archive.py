"""Folders and archives (zip, split zip, tar) of a dataset, which are all read in the same way: by the names of their files."""

import contextlib
import functools
import posixpath
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Self

from tqdm import tqdm

from doppelgangers.datasets.split_zip import open_zip
from doppelgangers.errors import UserError
from doppelgangers.files import require_space

TABLES = (".csv", ".tsv", ".txt", ".json")  # small files that are kept in memory when a tar archive is listed
TABLE_BYTES = 2**26
PLAIN = (".csv", ".sf2")  # single files that a dataset may consist of
PART = re.compile(r"\.z\d\d")  # suffix of all parts of a split zip but the last
REMEDY = "if it was downloaded, delete it and run again"


class Tree:
    """Files of a dataset, as if they all lay in one folder.

    Args:
        files: folders, archives, tables and SoundFonts; the parts of a split zip (.z01, .z02, ..., .zip) are one archive.
        scratch: folder to unpack tar archives to, because they can only be read from beginning to end. It is deleted at
            the end of the `with` block. Folders and zip archives are read where they are.

    Attributes:
        paths: the folders, archives and files.
        names: of all files in them, sorted, with "/".

    Raises:
        UserError: naming a path that does not exist, is none of these, is damaged, or has a member that points outside.
    """

    def __init__(self, files: Iterable[Path | str], scratch: Path):
        self.paths = [Path(file) for file in files]
        self.scratch = scratch
        self.readers: dict[str, Callable[[], bytes]] = {}
        self.tars: list[Tar] = []
        for path in self.paths:
            if PART.fullmatch(path.suffix):
                continue  # read with the last part
            if not path.exists():
                raise UserError(f"{path} does not exist")
            if path.is_dir():
                self.add_folder(path)
            elif zipfile.is_zipfile(path):
                self.add_zip(path, sorted(part for part in self.paths if is_part(part, path)))
            elif tarfile.is_tarfile(path):
                self.add_tar(path)
            elif path.suffix in PLAIN:
                self.add(path, path.name, path.read_bytes)
            else:
                raise UserError(f"{path} is neither a folder nor a whole zip or tar archive; {REMEDY}")
        self.names = sorted(self.readers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __str__(self) -> str:
        return ", ".join(map(str, self.paths))

    def read(self, name: str) -> bytes:
        """Content of a file; in a tar archive only small tables and files that were selected can be read.

        Raises:
            UserError: when the file is damaged.
        """
        try:
            return self.readers[name]()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise UserError(f"{name} cannot be read: {error}") from error

    def root(self, marker: str) -> str:
        """The folder that contains the file `marker`, "" or ending in "/"; the name of an archive's top folder varies.

        Raises:
            UserError: when there is no such file.
        """
        found = [name for name in self.names if name == marker or name.endswith(f"/{marker}")]
        if not found:
            raise UserError(f"it has no {marker}: it is not this dataset, or not all of it")
        return min(found, key=len).removesuffix(marker)

    def select(self, names: Iterable[str]) -> None:
        """Unpack from tar archives the files that will be read, each archive in one pass; call it before `read`."""
        names = set(names)
        for number, tar in enumerate(self.tars):
            if wanted := names & tar.sizes.keys():
                require_space(self.scratch, sum(tar.sizes[name] for name in wanted), f"unpacking {tar.path}")
                self.readers.update(tar.unpack(wanted, self.scratch / str(number)))

    def add(self, path: Path, name: str, reader: Callable[[], bytes]) -> None:
        if points_outside(name):
            raise UserError(f"{path} has a member {name!r}, which points outside of it: do not trust this archive")
        name = normal(name)
        if not posixpath.basename(name).startswith("._"):  # macOS adds a file of attributes for each file
            self.readers[name] = reader

    def add_folder(self, folder: Path) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.add(folder, file.relative_to(folder).as_posix(), file.read_bytes)

    def add_zip(self, path: Path, parts: list[Path]) -> None:
        try:
            archive = open_zip([*parts, path])
        except zipfile.BadZipFile as error:
            raise UserError(f"{path} cannot be read as a zip archive ({error}); {REMEDY}") from error
        for info in archive.infolist():
            if not info.is_dir():
                self.add(path, info.filename, functools.partial(archive.read, info))

    def add_tar(self, path: Path) -> None:
        tar = Tar(path)
        self.tars.append(tar)
        for name in tar.sizes:
            self.add(path, name, functools.partial(tar.tables.__getitem__, name))


def is_part(path: Path, last: Path) -> bool:
    """Whether a file is a part of the split zip whose last part is given."""
    return bool(PART.fullmatch(path.suffix)) and path.with_suffix(last.suffix) == last


def normal(name: str) -> str:
    """A path with "/" between its parts, and without "." and ".." among them where that is possible."""
    return posixpath.normpath(name.replace("\\", "/"))


def points_outside(name: str) -> bool:
    """Whether a path leads out of the folder that it is relative to."""
    return bool(re.match(r"/|\.\.(/|$)|[A-Za-z]:", normal(name)))


class Tar:
    """A tar archive, compressed or not, which is read from beginning to end: once to list it, once to unpack it.

    Attributes:
        path: the archive.
        sizes: of its files, in bytes, by name.
        tables: content of its small tables, by name.

    Raises:
        UserError: when the archive is damaged or ends too early.
    """

    def __init__(self, path: Path):
        self.path = path
        self.sizes: dict[str, int] = {}
        self.tables: dict[str, bytes] = {}
        for name, size, content in self.members("listing", lambda name, size: name.endswith(TABLES) and size <= TABLE_BYTES):
            self.sizes[name] = size
            if content is not None:
                self.tables[name] = content

    def members(self, doing: str, wanted: Callable[[str, int], bool]) -> Generator[tuple[str, int, bytes | None]]:
        """Yield (name, bytes, content or None) of every regular file, in the order of the archive.

        Args:
            doing: title of the progress bar.
            wanted: takes name and bytes of a file; returns whether to read its content.

        Raises:
            UserError: when the archive is damaged or ends too early.
        """
        title = f"{doing} {self.path.name}"
        with (
            open(self.path, "rb") as file,
            tqdm(desc=title, total=self.path.stat().st_size, unit="B", unit_scale=True) as bar,
        ):
            try:
                with tarfile.open(fileobj=file, mode="r|*") as tar:
                    for member in tar:
                        bar.update(file.tell() - bar.n)
                        if member.isreg():
                            name = normal(member.name)
                            stream = tar.extractfile(member) if wanted(name, member.size) else None
                            yield name, member.size, stream.read() if stream else None
                    if tar.fileobj.tell() % tarfile.BLOCKSIZE:  # tarfile takes half a header for the end
                        raise EOFError("it ends within a header")
            except (tarfile.TarError, EOFError, OSError) as error:
                if getattr(error, "errno", None):
                    raise
                raise UserError(f"{self.path} is damaged ({error}); {REMEDY}") from error

    def unpack(self, wanted: set[str], folder: Path) -> dict[str, Callable[[], bytes]]:
        """Write the wanted members to numbered files in a folder; returns for each name a function that reads it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        readers: dict[str, Callable[[], bytes]] = {}
        with contextlib.closing(self.members("unpacking", lambda name, _: name in wanted)) as members:
            for name, _, content in members:
                if content is not None:
                    file = folder / str(len(readers))
                    file.write_bytes(content)
                    readers[name] = file.read_bytes
                    if len(readers) == len(wanted):
                        break
        return readers
