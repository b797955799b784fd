"""Free Spoken Digit Dataset: digits, each spoken many times by each of a few people."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files

STEM = r"(?P<digit>\d)_(?P<speaker>[a-z]+)_\d+"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The labels are `digit` and `speaker`.

    A fold of the column `fold` is a speaker, for the task on digits; one of `digit_fold` is two digits, for the task on
    speakers.

    Raises:
        UserError: when there are no recordings, or some have names of another form.
    """
    table = named_files(tree, "recordings", STEM, like="7_jackson_32")
    table["digit"] = table.digit.astype(int)
    table["fold"] = table.speaker.rank(method="dense").astype(int)
    return clips_of_files(tree, table.assign(digit_fold=table.digit // 2 + 1))
