"""MIT impulse response survey (Traer and McDermott 2016): 270 places, as they sound."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files


def load(tree: Tree, pinned: bool) -> Clips:
    """Impulse responses and how to read them; see `datasets.clips`. They have no label, and are all in fold 1.

    Raises:
        UserError: when there are none.
    """
    return clips_of_files(tree, named_files(tree, "Audio", ".+", like="h026_Gym_8txts").assign(fold=1))
