"""LibriCount (Stöter et al. 2018): 5,720 mixtures of 5 s of up to ten people who speak at once."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files
from doppelgangers.datasets.folds import hear_folds


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `speakers`, how many speak; the folds are HEAR's.

    Raises:
        UserError: when there are no recordings, or some have names of another form.
    """
    table = named_files(tree, "test", r"(?P<speakers>\d+)_.+", like="3_106")
    table["speakers"] = table.speakers.astype(int)
    return clips_of_files(tree, table.assign(fold=hear_folds(table["clip"], 5, table.speakers)))
