"""UrbanSound8K (Salamon et al. 2014): 8,732 excerpts of up to 4 s in 10 classes, ten official folds."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, read_table
from doppelgangers.errors import UserError

META = "metadata/UrbanSound8K.csv"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `class`, the folds are the official ones.

    Raises:
        UserError: when the table is not UrbanSound8K's, or a recording that it names is missing.
    """
    root = tree.root(META)
    table = read_table(tree, root + META, ["slice_file_name", "fold", "class"])
    if not table.fold.isin(range(1, 11)).all():
        raise UserError(f"{META} names folds other than 1 to 10: {sorted(set(table.fold) - set(range(1, 11)))}")
    clips = table.rename(columns={"slice_file_name": "clip"})
    return clips_of_files(tree, clips.assign(file=root + "audio/fold" + clips.fold.astype(str) + "/" + clips["clip"]))
