"""ESC-50 (Piczak 2015): 2,000 recordings of 5 s in 50 classes, five official folds."""

import hashlib

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, read_table
from doppelgangers.errors import UserError

META = "meta/esc50.csv"
META_MD5 = "54a0d0055a10bb7df84ad340a148722e"  # of the pinned release; the archive around it may be packed again


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `category`, the folds are the official ones.

    Raises:
        UserError: when the table is not ESC-50's, or a recording that it names is missing.
    """
    root = tree.root(META)
    if pinned and hashlib.md5(tree.read(root + META)).hexdigest() != META_MD5:
        raise UserError(f'{META} is not that of ESC-50; for another set in its layout, set datasets.esc50.checksum to "none"')
    table = read_table(tree, root + META, ["filename", "fold", "category"])
    if not table.fold.isin(range(1, 6)).all():
        raise UserError(f"{META} names folds other than 1 to 5: {sorted(set(table.fold) - set(range(1, 6)))}")
    clips = table.rename(columns={"filename": "clip"})
    return clips_of_files(tree, clips.assign(file=root + "audio/" + clips["clip"]))
