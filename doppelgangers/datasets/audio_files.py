"""The sound files of any folder or archive."""

import posixpath

from doppelgangers.datasets.archive import Tree
from doppelgangers.errors import UserError

# Formats that libsndfile decodes and that recordings have; other files are ignored.
AUDIO = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64")


def audio_files(tree: Tree) -> list[str]:
    """Names of the sound files, sorted, so that they do not depend on the order on disk.

    Links that lead nowhere are among them where they may have led to sounds, so that reading them says so.

    Raises:
        UserError: when there are none.
    """
    names = {name for name in (*tree.names, *tree.unread) if name.lower().endswith(AUDIO)}
    names |= {name for name in tree.unread if not posixpath.splitext(name)[1]}  # a folder on a disk that is not there
    if not names:
        raise UserError(f"{tree} holds no audio file: looked for {', '.join(AUDIO)}, in its subfolders too")
    return sorted(names)
