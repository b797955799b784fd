"""CREMA-D (Cao et al. 2014): 7,438 recordings of 91 actors, who speak 12 sentences in six emotions."""

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files
from doppelgangers.datasets.folds import hear_folds

STEM = r"(?P<actor>\d+)_(?P<sentence>[A-Z]+)_(?P<emotion>[A-Z]+)_(?P<level>[A-Z]+)"
# Not in TensorFlow Datasets' copy, which HEAR uses. The last three are exact copies of other clips, named after another
# emotion.
ABSENT = ("1040_ITH_SAD_XX", "1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1017_IWW_FEA_XX")
FOLDS = 5


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `emotion`: the one acted, by the file's name.

    The column `fold` is drawn by HEAR's recipe from the names of the files. HEAR itself drew from the identifiers of
    TensorFlow Datasets, so these folds are not the same as HEAR's, but of the same kind: of equal size, with every actor in
    all of them. The folds of the column `actor_fold` have no actor in common.

    Raises:
        UserError: when there are no recordings, or some have names of another form.
    """
    table = named_files(tree, "AudioWAV", STEM, like="1001_DFA_ANG_XX")
    table = table[~table["clip"].isin(ABSENT)].reset_index(drop=True)
    table["fold"] = hear_folds(table["clip"], FOLDS, table.emotion)
    table["actor_fold"] = hear_folds(table.actor, FOLDS)
    return clips_of_files(tree, table)
