"""Names of the files in folders and archives, and the links among them."""

import collections
import os
import posixpath
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from doppelgangers.errors import UserError

Place = tuple[int, int]  # device and number of a folder
MOST_NAMES = 1000  # of one folder or file, by the links to it
WEB = "too many of its links lead to folders that have links themselves: name a folder that has the sounds without them"


def normal(name: str) -> str:
    """A path in one spelling: "/" between its parts, no "." and ".." where that is possible, letters composed (NFC)."""
    return composed(posixpath.normpath(re.sub(r"[/\\]+", "/", name)))


def composed(name: str) -> str:
    """A name with composed letters (NFC); macOS stores an ä as an a and two dots."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def points_outside(name: str) -> bool:
    """Whether a path leads out of the folder that it is relative to."""
    return bool(re.match(r"/|\.\.(/|$)", normal(name)) or re.match(r"[A-Za-z]:\\", name))


def target_of(link: str, text: str) -> str:
    """What a symbolic link of an archive points to, from the archive's top."""
    return normal(posixpath.join(posixpath.dirname(normal(link)), text))


def follow_links(links: Mapping[str, str], files: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """What the links of an archive stand for.

    Args:
        links: link -> what it points to, both from the archive's top.
        files: of the archive.

    Returns:
        name -> file, for links to files, and for every file below a link to a folder; and the links that lead to neither,
        or out of the archive.

    Raises:
        UserError: when every file has too many names.
    """
    found: dict[str, str] = {}
    broken = {link for link in links if link not in files and not points_outside(link)}
    for _ in links:  # a link may point to another one, which is found in the round after
        known = {**found, **{name: name for name in files}}
        folders = {parent for name in known for parent in parents(name)}
        new: dict[str, str] = {}
        for link, target in links.items():
            if target in known:
                new[link] = known[target]
            elif target == "." or (target in parents(link)):
                pass  # it would have no end
            elif target in folders:
                new |= {f"{link}{name[len(target) :]}": file for name, file in known.items() if name.startswith(f"{target}/")}
            else:
                continue
            broken.discard(link)
        if len(new) > MOST_NAMES * (len(files) + 1):
            raise UserError(WEB)
        if new.keys() <= found.keys():
            break
        found |= new
    return {name: file for name, file in found.items() if name not in files and not points_outside(name)}, sorted(broken)


def parents(name: str) -> list[str]:
    """The folders that a path is in."""
    return [name[:i] for i, letter in enumerate(name) if letter == "/"]


def walk(
    folder: Path | str, visits: collections.Counter[Place], prefix: str = "", above: tuple[Place, ...] = ()
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield (path relative to the folder, entry) of all that is no folder, in linked folders too.

    A link to a folder that it lies in is not followed, because it would have no end. `visits` counts the names of folders.

    Raises:
        UserError: when a folder has too many names by links.
    """
    about = Path(folder).stat()
    if (here := (about.st_dev, about.st_ino)) in above:
        return
    visits[here] += 1
    if visits[here] > MOST_NAMES:
        raise UserError(f"{folder}: {WEB}")
    with os.scandir(folder) as entries:
        for entry in entries:
            if leads_to(entry, os.DirEntry.is_dir):
                yield from walk(entry.path, visits, f"{prefix}{entry.name}/", (*above, here))
            else:
                yield prefix + entry.name, entry


def leads_to(entry: os.DirEntry[str], kind: Callable[[os.DirEntry[str]], bool]) -> bool:
    """Whether an entry is, or is a link to, something of a kind; a link to itself leads nowhere."""
    try:
        return kind(entry)
    except OSError:
        return False
