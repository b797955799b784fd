"""Zip archives in several parts (.z01, .z02, ..., .zip), such as those of FSD50K."""

import bisect
import io
import itertools
import struct
import zipfile
from pathlib import Path

END, END_BYTES = b"PK\x05\x06", 22 + 0xFFFF  # the record at the end of an archive, and its largest size, with a comment


def open_zip(parts: list[Path]) -> zipfile.ZipFile:
    """A zip archive in one or several parts, given in order.

    The offset of a member counts from the beginning of the part in which the member starts (APPNOTE 4.4.16, 4.4.24), but
    Python's reader counts all offsets from the beginning of the part in which the directory starts; this corrects it.

    Raises:
        zipfile.BadZipFile: when it is damaged, or some of its parts are missing.
    """
    count = count_parts(parts[-1])
    if count != len(parts):
        raise zipfile.BadZipFile(f"it has {count} parts, and {len(parts)} are here; zip -s 0 IN.zip --out OUT.zip joins them")
    ends = list(itertools.accumulate(part.stat().st_size for part in parts))
    archive = zipfile.ZipFile(parts[0] if len(parts) == 1 else io.BufferedReader(Joined(parts, ends)))
    starts = [0, *ends]
    directory = starts[bisect.bisect(ends, archive.start_dir)]
    for info in archive.infolist():
        info.header_offset += starts[info.volume] - directory
        if len(parts) > 1 and hasattr(info, "_end_offset"):
            info._end_offset = None  # newer Pythons check overlaps with it, by the uncorrected offsets
    return archive


def name_of(info: zipfile.ZipInfo) -> str:
    """Name of a member. Archives of macOS and some others have UTF-8 names without saying so; Python reads them as cp437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def count_parts(last: Path) -> int:
    """Number of parts of an archive, by the record at the end of its last part (APPNOTE 4.3.16)."""
    with open(last, "rb") as file:
        file.seek(max(0, last.stat().st_size - END_BYTES))
        tail = file.read()
    (number,) = struct.unpack_from("<H", tail, tail.rindex(END) + len(END))
    return 1 if number == 0xFFFF else number + 1  # some writers leave the number out in large archives


class Joined(io.RawIOBase):
    """Several files, read as if they were one; `ends` are the numbers of bytes up to the end of each."""

    def __init__(self, parts: list[Path], ends: list[int]):
        self.files = [open(part, "rb") for part in parts]  # noqa: SIM115, closed by `close`
        self.ends = ends
        self.position = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.ends[-1]}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer) -> int:
        """Fill the buffer from the current part, at most to its end; returns the number of bytes, 0 after the last part."""
        part = bisect.bisect(self.ends, self.position)
        if part == len(self.files):
            return 0
        self.files[part].seek(self.position - (self.ends[part - 1] if part else 0))
        count = self.files[part].readinto(buffer)
        self.position += count
        return count

    def close(self) -> None:
        for file in self.files:
            file.close()
        super().close()
