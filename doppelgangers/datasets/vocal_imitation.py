"""Vocal Imitation Set (Kim et al. 2018): 5,601 imitations, by voice, of 302 sounds."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files, read_table
from doppelgangers.datasets.folds import hear_folds
from doppelgangers.errors import UserError

META = "vocal_imitations.txt"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `reference`, the sound imitated; the folds are HEAR's.

    Only the imitations in the folder `included` are used: those that the raters of the set accepted.

    Raises:
        UserError: when there are no such recordings, or the table does not say what one of them imitates.
    """
    meta = read_table(tree, tree.root(META) + META, ["imitation_filename", "reference_filename"], sep="\t")
    reference_of = dict(zip(meta.imitation_filename, meta.reference_filename, strict=True))
    table = named_files(tree, "vocal_imitations/included", ".+", like="name")
    table["reference"] = table.file.str.rpartition("/")[2].map(reference_of)
    if (unknown := table.file[table.reference.isna()]).size:
        raise UserError(f"{META} does not say what {unknown.size} of the imitations imitate, the first is {unknown.iloc[0]}")
    return clips_of_files(tree, table.assign(fold=hear_folds(table["clip"], 3, table.reference)))
