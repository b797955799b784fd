"""Free Spoken Digit Dataset: the digits, each spoken many times by a few people."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files

STEM = r"(?P<digit>\d)_(?P<speaker>[a-z]+)_\d+"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The labels are `digit` and `speaker`.

    The column `fold` holds out a speaker, for the digits; the column `digit_fold` two digits, for the speakers.

    Raises:
        UserError: when there are no recordings, or some are named otherwise.
    """
    table = named_files(tree, "recordings", STEM, like="7_jackson_32")
    table["digit"] = table.digit.astype(int)
    table["fold"] = table.speaker.rank(method="dense").astype(int)
    return clips_of_files(tree, table.assign(digit_fold=table.digit // 2 + 1))
