"""Tar archives, which are read from beginning to end: once to list them, once to unpack what is needed."""

import bz2
import collections
import contextlib
import gzip
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, BinaryIO, Self

from tqdm import tqdm

from doppelgangers.datasets.members import normal, target_of
from doppelgangers.errors import UserError

TABLES = (".csv", ".tsv", ".txt", ".json")  # small files that are kept in memory when an archive is listed
TABLE_BYTES = 2**26
COMPRESSED: dict[bytes, Callable[[BinaryIO], Any]] = {  # by the first two bytes
    **{b"\x1f\x8b": gzip.open, b"BZ": bz2.open},
    **{b"\xfd7": lzma.open, b"]\0": lzma.open},
}


class Tar:
    """A tar archive, compressed or not.

    Attributes:
        path: the archive.
        spellings: names of its files, as they are written there.
        sizes: of its files, in bytes, by name (`members.normal`).
        links: what its links point to, by name.
        tables: content of its small tables, by name.

    Raises:
        UserError: when the archive is damaged or ends too early; `remedy` says what to do about it.
    """

    def __init__(self, path: Path, remedy: str):
        self.path = path
        self.remedy = remedy
        self.spellings: list[str] = []
        self.sizes: dict[str, int] = {}
        self.tables: dict[str, bytes] = {}
        self.copies: collections.Counter[str] = collections.Counter()  # of one name the last counts, as for tar itself
        self.links: dict[str, str] = {}
        for member, content in self.members("listing", is_small_table):
            name = normal(member.name)
            if member.isreg():
                self.spellings.append(member.name)
                self.sizes[name] = member.size
                self.copies[name] += 1
                if content is not None:
                    self.tables[name] = content
            elif member.issym() or member.islnk():
                self.links[name] = target_of(name, member.linkname) if member.issym() else normal(member.linkname)

    def members(self, doing: str, wanted: Callable[[tarfile.TarInfo], bool]) -> Generator[tuple[tarfile.TarInfo, bytes | None]]:
        """Yield every member and its content, or None where it is not wanted, in the order of the archive.

        Args:
            doing: title of the progress bar.
            wanted: says of a regular file whether to read its content.

        Raises:
            UserError: when the archive is damaged or ends too early.
        """
        title = f"{doing} {self.path.name}"
        with (
            open(self.path, "rb") as file,
            tqdm(desc=title, total=self.path.stat().st_size, unit="B", unit_scale=True) as bar,
        ):
            member = None
            try:
                with contextlib.closing(opened(file)) as stream, tarfile.open(fileobj=stream, mode="r|", tarinfo=Strict) as tar:
                    for member in tar:
                        bar.update(file.tell() - bar.n)
                        reader = tar.extractfile(member) if member.isreg() and wanted(member) else None
                        yield member, reader.read() if reader else None
                    while rest := tar.fileobj.read(2**20):  # gzip compares its checksum at the very end
                        if rest.strip(b"\0"):
                            raise EOFError("there is more behind its end, as when archives were joined: unpack it")
            except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
                if getattr(error, "errno", None):
                    raise
                where = f" in or behind {member.name}" if member else ""
                raise UserError(f"{self.path} is damaged ({error}){where}; {self.remedy}") from error

    def read(self, name: str) -> bytes:
        """Content of one file; where it is not a small table, that costs a pass through the archive."""
        if name in self.tables:
            return self.tables[name]
        found = self.members("reading", lambda member: normal(member.name) == name)
        *_, last = (content for _, content in found if content is not None)
        return last

    def unpack(self, wanted: set[str], folder: Path) -> dict[str, Callable[[], bytes]]:
        """Write the wanted files to numbered files in a folder; returns for each name a function that reads it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        left = sum(self.copies[name] for name in wanted)
        readers: dict[str, Callable[[], bytes]] = {}
        with contextlib.closing(self.members("unpacking", lambda member: normal(member.name) in wanted)) as members:
            for member, content in members:
                if content is not None:
                    place = folder / str(left)
                    place.write_bytes(content)
                    readers[normal(member.name)] = place.read_bytes
                    left -= 1
                    if not left:
                        break
        return readers


class Strict(tarfile.TarInfo):
    """A member whose header is whole; tarfile itself takes a damaged one, or none, for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if len(buf) < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("it ends within a header" if buf else "its end is missing")
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):
                raise tarfile.ReadError(str(error)) from error
            raise  # empty blocks are the end


def is_small_table(member: tarfile.TarInfo) -> bool:
    return member.name.endswith(TABLES) and member.size <= TABLE_BYTES


def opened(file: BinaryIO) -> BinaryIO:
    """The content of a file that may be compressed, from where it begins."""
    first = file.read(2)
    file.seek(0)
    return COMPRESSED.get(first, lambda same: same)(file)
