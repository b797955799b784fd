"""What a rule says of the files of the user's that it reads, so that a change of their contents runs it again.

Snakemake compares times, and the time of a folder says little: a file that is edited in place does not change it, nor does one
that is added to a sub-folder; and an archive may be replaced by one with an older time. So the rules have in their params a
digest of what is there.
"""

import collections
import functools
import hashlib
import importlib.machinery
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from doppelgangers.datasets.members import leads_to, walk
from doppelgangers.errors import UserError
from doppelgangers.files import checksum

# Up to this size all bytes at a path are read, in about 0.1 s; of more, names, sizes and times.
READ_BYTES = 64 * 2**20
# What systems and tools leave in a folder, which is no data.
NOT_DATA = re.compile(r"(^|/)(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini|(\.git|\.ipynb_checkpoints|__pycache__)/.*)$")


@functools.cache
def contents_of(path: str) -> str:
    """Sixteen hexadecimal digits that change when the file or folder at a path changes; empty if nothing is there.

    Of a folder, all regular files at any depth count, also behind symbolic links, but none of `NOT_DATA`. Files of up to 64 MiB
    in total count by their bytes, so that neither a copy nor `touch` changes anything; beyond that, each by its size and its
    time of modification.

    Raises:
        UserError: when a file or folder cannot be read.
    """
    try:
        files = sorted(files_at(Path(path)))
        stats = [file.stat() for file in files]
        small = sum(stat.st_size for stat in stats) <= READ_BYTES
        listing = hashlib.sha256()
        for file, stat in zip(files, stats, strict=True):
            facts = [checksum(file)] if small else [stat.st_size, stat.st_mtime_ns]
            listing.update(repr([os.path.relpath(file, path), *facts]).encode(errors="surrogateescape"))
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; make it readable, or move it out of {path}") from error
    return listing.hexdigest()[:16] if files else ""


def files_at(path: Path) -> Iterator[Path]:
    """The regular file at a path, or those in the folder there that are not its system's or its tools' own."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for name, entry in walk(path, collections.Counter()):
            if leads_to(entry, os.DirEntry.is_file) and not NOT_DATA.search(name):
                yield path / name


@functools.cache
def contents_of_module(name: str) -> str:
    """The same for the package or file that Python would import under a name, without importing it; empty if there is none."""
    found = importlib.machinery.PathFinder.find_spec(name.partition(".")[0], sys.path)
    if not found:
        return ""
    places = found.submodule_search_locations or [found.origin or ""]
    return " ".join(contents_of(place) for place in places)
