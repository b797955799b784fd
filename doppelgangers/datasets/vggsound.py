"""VGGSound (Chen et al. 2020): sounds of videos, 10 s each, of 309 classes. The user has them; the index is fetched."""

import logging

import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, read_table
from doppelgangers.errors import UserError

log = logging.getLogger(__name__)
INDEX = "vggsound.csv"
SOUNDS = r"(?i:wav|flac|ogg|opus|mp3|aiff?)"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `label`, the folds are train and test of the index.

    A file is named after its video and the second that it starts at, <id>_<start, six digits>, in any folder. Rows of the
    index without a file are left out, and so are files that the index does not have; the log says how many.

    Raises:
        UserError: when the index is not VGGSound's, or none of its clips is there.
    """
    names = ["video", "start", "label", "split"]
    options = {"header": None, "names": names, "dtype": {"video": str}, "keep_default_na": False}
    index = read_table(tree, tree.root(INDEX) + INDEX, names, **options)
    if not (pd.api.types.is_integer_dtype(index.start) and index.split.isin(["train", "test"]).all()):
        raise UserError(f"{INDEX} is not VGGSound's: its rows have to be video, second, label, and train or test")
    index["clip"] = index.video + "_" + index.start.astype(str).str.zfill(6)
    index = index.drop_duplicates("clip")
    files = pd.Series(tree.names, dtype=str)
    files = files[files.str.contains(rf"\.{SOUNDS}$")]
    file_of = pd.Series(files.to_numpy(), index=files.str.extract(r"([^/]+)\.\w+$")[0])
    file_of = file_of[~file_of.index.duplicated()]
    table = index.assign(fold=index.split, file=index["clip"].map(file_of))
    absent = table["clip"][table.file.isna()]
    if len(absent) == len(table):
        raise UserError(
            f"none of the {len(table)} clips of {INDEX} is among its {len(files)} sound files; they have to be named "
            f"<video>_<start>.wav (or flac, ogg, opus, mp3, aiff), as {absent.iloc[0]}.wav; take the sound out of videos first"
        )
    if len(absent):
        log.warning("%d of %d rows of %s have no file; the first is %s", len(absent), len(table), INDEX, absent.iloc[0])
    if unknown := (~file_of.index.isin(table["clip"])).sum():
        log.warning("%d sound files are not in %s, and are passed over", unknown, INDEX)
    return clips_of_files(tree, table[table.file.notna()].sort_values("clip", kind="stable", ignore_index=True))
