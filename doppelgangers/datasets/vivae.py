"""VIVAE (Holz et al. 2022), full set: 1,085 non-speech vocalizations of six emotions by 11 speakers."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files

STEM = r"S(?P<speaker>\d+)_(?P<emotion>[a-z]+)_(?P<intensity>[a-z]+)_\d+"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `emotion`, the fold is the number of the speaker.

    The core set is ignored, because it is a selection of the same recordings.

    Raises:
        UserError: when there are no recordings of the full set, or some have names of another form.
    """
    table = named_files(tree, "full_set", STEM, like="S04_surprise_peak_10")
    return clips_of_files(tree, table.assign(fold=table.speaker.astype(int), speaker="S" + table.speaker))
