"""FSD50K (Fonseca et al. 2022): 51,197 recordings of Freesound with some of 200 labels; the official split."""

import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, read_table
from doppelgangers.errors import UserError

FOLDS = {"train": "train", "val": "valid", "test": "test"}


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The column `labels` has them separated by ";".

    The names of the recordings are unique in all of FSD50K, so it does not matter in which folder they are.

    Raises:
        UserError: when a table is not FSD50K's, or a recording that it names is missing.
    """
    dev = read_table(tree, tree.root("dev.csv") + "dev.csv", ["fname", "labels", "split"], dtype=str)
    evaluation = read_table(tree, tree.root("eval.csv") + "eval.csv", ["fname", "labels"], dtype=str)
    table = pd.concat([dev, evaluation.assign(split="test")], ignore_index=True)
    if other := set(table.split) - set(FOLDS):
        raise UserError(f"dev.csv names splits other than train and val: {', '.join(map(str, other))}")
    sounds = {name.rpartition("/")[2]: name for name in tree.names}
    clips = table.fname + ".wav"
    table = table.assign(clip=table.fname, fold=table.split.map(FOLDS), labels=table.labels.str.replace(",", ";"))
    return clips_of_files(tree, table[["clip", "fold", "labels"]].assign(file=[sounds.get(name, name) for name in clips]))
