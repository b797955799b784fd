import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.crema_d import load
from doppelgangers.datasets.folds import hear_folds, subsample, subsample_seed
from doppelgangers.errors import UserError
from tests.conftest import ROOT

# Results of the published code of hear-preprocess 2021.1.1 for made-up names.
PUBLISHED = json.loads((ROOT / "tests/data/hear_folds.json").read_text())
FOLD_CASES = [case for case in PUBLISHED if "folds" in PUBLISHED[case]]


@pytest.mark.parametrize("case", FOLD_CASES)
def test_folds_are_those_of_hears_own_code(case):
    case = PUBLISHED[case]
    # Any order of the rows gives the same folds.
    rows = pd.DataFrame(case["rows"], columns=["stem", "label"]).sample(frac=1, random_state=1)
    folds = hear_folds(rows.stem, case["nfolds"], rows.label)
    assert folds.index.equals(rows.index)
    for fold, stems in enumerate(case["folds"].values(), 1):
        assert sorted(rows.stem[folds == fold]) == stems


def test_the_published_folds_take_several_seeds():
    assert {PUBLISHED[case]["seed"] for case in FOLD_CASES} > {"split_k_folds"}


def test_a_label_of_fewer_clips_than_folds_is_refused():
    stems = pd.Series([f"clip{number}" for number in range(9)])
    labels = pd.Series(["often"] * 7 + ["rare"] * 2)
    message = "9 clips cannot be cut into 3 folds that each have all 2 labels; rare is the label of 2 clips"
    with pytest.raises(UserError, match=message):
        hear_folds(stems, 3, labels)


@pytest.mark.parametrize(("split", "seed"), [("train", 3488948419), ("valid", 3511819133), ("test", 2920447107)])
def test_the_subsample_is_that_of_hears_own_code(split, seed):
    case = PUBLISHED[f"subsample_{split}"]
    assert subsample_seed(split) == case["seed"] == seed
    stems = case["sorted_stems"]
    assert subsample(stems[::-1], split, 10) == case["first_10"]
    # The same without pandas: a version of pandas that shuffles otherwise would change the clips.
    order = np.random.RandomState(seed).permutation(len(stems))
    assert subsample(stems, split, len(stems)) == [stems[i] for i in order]


def test_folds_of_crema_d_by_the_names_of_its_files():
    tree = Tree([], Path())
    tree.names = pd.read_csv(ROOT / "doppelgangers/datasets/crema_d.csv").path.tolist()
    clips = load(tree, True).table
    assert len(clips) == 7438
    assert clips.groupby("fold").size().tolist() == [1488, 1488, 1488, 1487, 1487]
    assert clips.emotion.value_counts().to_dict() == {
        "ANG": 1271,
        "HAP": 1271,
        "SAD": 1270,
        "DIS": 1270,
        "FEA": 1270,
        "NEU": 1086,
    }
    assert (clips.groupby("actor").actor_fold.nunique() == 1).all()
    assert clips.groupby("actor_fold").actor.nunique().tolist() == [19, 18, 18, 18, 18]
