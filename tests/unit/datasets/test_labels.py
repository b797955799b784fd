import numpy as np
import pandas as pd
import pytest

from doppelgangers.datasets.catalogue import Task
from doppelgangers.datasets.labels import folds_of, in_order, labels_of, read_clips, read_labelled
from doppelgangers.errors import UserError


@pytest.mark.parametrize(
    "labels",
    [
        ["1.1", "1.10", "1.2"],
        ["01", "1", "1.0", "2"],
        ["100", "1E2", "2E2"],
        ["123456789012345671", "123456789012345672", "123456789012345673"],
        ["NA", "None", "nan", "null"],
        ["TRUE", "True", "true"],
        ["+1", "1", "1_0"],
    ],
)
def test_labels_are_text_and_different_ones_stay_different(tmp_path, labels):
    rows = "".join(f"{i}.wav,{i % 3 + 1},{label}\n" for i, label in enumerate(labels))
    (tmp_path / "clips.csv").write_text("clip,fold,label\n" + rows + "x.wav,1,\n")
    found = read_labelled(read_clips(tmp_path / "clips.csv"), Task("mine", "label"), "here")
    assert found.classes == labels
    assert found.labels == [[label] for label in labels]
    assert found.rows.tolist() == list(range(len(labels)))


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        ({"100", "21", "3"}, ["3", "21", "100"]),
        ({"100.0", "21.0", "-3.5"}, ["-3.5", "21.0", "100.0"]),
        ({"10", "9", "x"}, ["10", "9", "x"]),
        ({"1e2", "9"}, ["1e2", "9"]),
        ({"1.0", "01", "1", "0"}, ["0", "01", "1", "1.0"]),
        ({"9007199254740993", "9007199254740992"}, ["9007199254740992", "9007199254740993"]),
    ],
)
def test_numbers_are_in_the_order_of_their_values_and_other_labels_in_that_of_letters(labels, ordered):
    assert in_order(labels) == ordered


def test_spaces_and_repeats_make_no_label():
    assert labels_of(" dog ", multilabel=False) == ["dog"]
    assert labels_of("dog; cat ;dog;;", multilabel=True) == ["cat", "dog"]
    assert labels_of("dog; cat", multilabel=False) == ["dog; cat"]
    assert labels_of("  ", multilabel=True) == []


def test_folds_are_numbers_or_names():
    assert folds_of(pd.Series(["1", "10", "2"]), "here").tolist() == [1, 10, 2]
    assert folds_of(pd.Series(["1.0", "2.0"]), "here").dtype == np.int64
    assert folds_of(pd.Series(["train", "test"]), "here").tolist() == ["train", "test"]
    with pytest.raises(UserError, match=r"here has 2 labelled clips without a fold"):
        folds_of(pd.Series(["1", np.nan, np.nan]), "here")
