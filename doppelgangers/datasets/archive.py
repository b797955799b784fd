"""What a dataset comes as (folders, zip, split zip and tar archives), read in the same way: by the names of its files."""

import contextlib
import posixpath
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from doppelgangers.datasets.split_zip import open_zip
from doppelgangers.errors import UserError
from doppelgangers.files import require_space

TABLES = (".csv", ".tsv", ".txt", ".json")  # small files that are kept in memory when a tar archive is listed
TABLE_BYTES = 2**26
PLAIN = (".csv", ".sf2")  # files that datasets come as, besides folders and archives
PART = re.compile(r"\.z\d\d")  # suffix of all parts of a split zip but the last
ANEW = "delete it and run again to fetch it anew"


class Tree:
    """Files of a dataset, as if they all lay in one folder.

    Args:
        sources: folders and archives; the parts of a split zip (.z01, .z02, ..., .zip) count as one archive.
        scratch: folder to unpack tar archives to, which cannot be read in any other order than their own. It is
            deleted at the end of the `with` block. Folders and zip archives are read where they are.

    Raises:
        UserError: naming a source that is not there, is neither, is damaged, or holds a member that points outside.
    """

    def __init__(self, sources: Iterable[Path], scratch: Path):
        self.sources = [Path(source) for source in sources]
        self.scratch = Path(scratch)
        self.readers = {}
        self.tars = []
        for source in self.sources:
            if PART.fullmatch(source.suffix):
                continue  # read with the last part
            if not source.exists():
                raise UserError(f"{source} does not exist")
            if source.is_dir():
                self.add_folder(source)
            elif zipfile.is_zipfile(source):
                self.add_zip(source, sorted(part for part in self.sources if is_part(part, source)))
            elif tarfile.is_tarfile(source):
                self.add_tar(source)
            elif source.suffix in PLAIN:
                self.add(source, source.name, source.read_bytes)
            else:
                raise UserError(f"{source} is neither a folder nor a whole zip or tar archive; {ANEW}")
        self.names = sorted(self.readers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def read(self, name: str) -> bytes:
        """Content of a file; one of a tar archive must be a small table, or have been selected.

        Raises:
            UserError: when the archive is damaged there.
        """
        try:
            return self.readers[name]()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise UserError(f"{name} cannot be read: {error}") from error

    def root(self, marker: str) -> str:
        """The folder in which `marker` lies, "" or ending in "/": archives name their top folder as they like.

        Raises:
            UserError: when there is no such file.
        """
        found = [name for name in self.names if name == marker or name.endswith(f"/{marker}")]
        if not found:
            raise UserError(f"it does not hold {marker}: it is not this dataset, or not all of it")
        return min(found, key=len).removesuffix(marker)

    def select(self, names: Iterable[str]) -> None:
        """Say which files will be read, before the first is: those of tar archives are unpacked, in one pass each."""
        names = set(names)
        for number, tar in enumerate(self.tars):
            if wanted := names & tar.sizes.keys():
                require_space(self.scratch, sum(tar.sizes[name] for name in wanted), f"unpacking {tar.path}")
                self.readers.update(tar.unpack(wanted, self.scratch / str(number)))

    def add(self, source: Path, name: str, reader) -> None:
        if points_outside(name):
            raise UserError(f"{source} holds {name!r}, which points outside of it: this archive is not to be trusted")
        path = normal(name)
        if not posixpath.basename(path).startswith("._"):  # macOS puts a file of attributes beside each
            self.readers[path] = reader

    def add_folder(self, folder: Path) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.add(folder, file.relative_to(folder).as_posix(), file.read_bytes)

    def add_zip(self, path: Path, parts: list[Path]) -> None:
        try:
            archive = open_zip([*parts, path])
        except zipfile.BadZipFile as error:
            raise UserError(f"{path} cannot be read as a zip archive ({error}); {ANEW}") from error
        for info in archive.infolist():
            if not info.is_dir():
                self.add(path, info.filename, lambda info=info: archive.read(info))

    def add_tar(self, path: Path) -> None:
        tar = Tar(path)
        self.tars.append(tar)
        for name in tar.sizes:
            self.add(path, name, lambda name=name: tar.tables[name])


def is_part(path: Path, last: Path) -> bool:
    """Whether a file is a part of the split zip whose last part is given."""
    return bool(PART.fullmatch(path.suffix)) and path.with_suffix(last.suffix) == last


def normal(name: str) -> str:
    """A path as every source spells it: with "/", and without "." and ".."."""
    return posixpath.normpath(name.replace("\\", "/"))


def points_outside(name: str) -> bool:
    """Whether a path leaves the folder that it is relative to."""
    return bool(re.match(r"/|\.\.(/|$)|[A-Za-z]:", normal(name)))


class Tar:
    """A tar archive, compressed or not, which is read from its begin to its end: once to list it, once to unpack.

    Attributes:
        path: the archive.
        sizes: of its files, in bytes, by name.
        tables: content of its small tables, by name.
    """

    def __init__(self, path: Path):
        self.path, self.sizes, self.tables = path, {}, {}
        for tar, member in self.members("listing"):
            self.sizes[member.name] = member.size
            if member.name.endswith(TABLES) and member.size <= TABLE_BYTES:
                self.tables[member.name] = tar.extractfile(member).read()

    def members(self, doing: str):
        """Yield (archive, member) for every regular file, in the order of the archive.

        Raises:
            UserError: when the archive is damaged or ends too early.
        """
        with (
            open(self.path, "rb") as file,
            tqdm.wrapattr(file, "read", total=self.path.stat().st_size, desc=f"{doing} {self.path.name}") as stream,
        ):
            try:
                with tarfile.open(fileobj=stream, mode="r|*") as tar:
                    for member in tar:
                        if member.isreg():
                            member.name = normal(member.name)
                            yield tar, member
                    if tar.fileobj.tell() % tarfile.BLOCKSIZE:  # tarfile takes half a header for the end
                        raise EOFError("it ends within a header")
            except (tarfile.TarError, EOFError, OSError) as error:
                if getattr(error, "errno", None):
                    raise
                raise UserError(f"{self.path} is damaged ({error}); {ANEW}") from error

    def unpack(self, wanted: set[str], folder: Path) -> dict:
        """Write the wanted members to files numbered in a folder; name -> function that reads it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        readers = {}
        with contextlib.closing(self.members("unpacking")) as members:
            for tar, member in members:
                if member.name in wanted:
                    file = folder / str(len(readers))
                    file.write_bytes(tar.extractfile(member).read())
                    readers[member.name] = file.read_bytes
                    if len(readers) == len(wanted):
                        break
        return readers
