"""The sound files of any folder or archive, whatever it is otherwise."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.errors import UserError

# What libsndfile decodes and recordings come as; other files are passed over.
AUDIO = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64")


def audio_files(tree: Tree) -> list[str]:
    """Names of the sound files, sorted, so that they do not depend on the order on disk.

    Raises:
        UserError: when there are none.
    """
    names = [name for name in tree.names if name.lower().endswith(AUDIO)]
    if not names:
        source = ", ".join(map(str, tree.sources))
        raise UserError(f"{source} holds no audio file: looked for {', '.join(AUDIO)}, in its subfolders too")
    return names
