"""Any task in the format of HEAR 2021, as its preprocessing writes it and as its archives have it."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files
from doppelgangers.datasets.hear_task import read_task


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The column is `label`, the folds are those of the task.

    Raises:
        UserError: when it is no such task, or a recording that it names is missing.
    """
    table, _ = read_task(tree.names, tree.read)
    return clips_of_files(tree, table)
