"""Sounds of the user's own: a folder with a table, or a task in HEAR's format."""

import numpy as np
import pandas as pd
import pytest

from doppelgangers.errors import UserError
from tests.archives import write_folder, write_tar_gz, write_zip
from tests.miniatures import folder_files, hear_files
from tests.prepared import prepared


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar_gz])
def test_a_folder_of_the_users_own(tmp_path, write):
    clips, logmel, card = prepared(tmp_path / "out", "folder", [write(tmp_path / "mine.zip", folder_files())])
    assert clips["clip"].tolist() == [f"sounds/{number:02d}.wav" for number in range(12)]
    assert clips.groupby("fold").size().tolist() == [4, 4, 4]
    assert set(clips.letter) == {"a", "b"}
    assert clips.rare.count() == 6
    assert len(logmel) == card["clips"] == 12


def table(tmp_path, text):
    files = {f"mine/sounds/{number:02d}.wav": content for number, content in enumerate(list(folder_files().values())[:4])}
    return write_folder(tmp_path / "data", {**files, "mine/clips.csv": text.encode()})


def test_a_folder_with_a_fixed_split_and_labels_that_look_like_other_things(tmp_path):
    text = "path,fold,class\nsounds/00.wav,train,007\nsounds\\01.wav,valid,NA\nsounds/./02.wav,test,True\n"
    clips, _, _ = prepared(tmp_path / "out", "folder", [table(tmp_path, text)])
    assert clips.fold.tolist() == ["train", "valid", "test"]
    raw = pd.read_csv(tmp_path / "out/clips.csv", dtype=str, keep_default_na=False)
    assert raw["class"].tolist() == ["007", "NA", "True"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,fold\n", "has no column path; it needs path, fold, and one per label"),
        ("path,fold,clip\n", "has a column clip, and this name is reserved: rename it"),
        ("path,fold\nsounds/00.wav,1\n,1\n", "row 3: .*has no path"),
        ("path,fold\nsounds/00.wav,1\n/etc/a.wav,1\n", "row 3: /etc/a.wav, .*: leads out of the folder"),
        ("path,fold\nsounds/../../../a.wav,1\n", r"row 2: sounds/../../../a.wav, .*: leads out of the folder"),
        ("path,fold\nsounds/00.wav,1\nsounds/x.wav,1\ny.wav,1\n", r"row 3: sounds/x.wav, .*does not exist \(2 rows are like"),
        ("path,fold\nsounds/00.wav,0\n", "row 2: sounds/00.wav, fold 0: has a fold that is neither a number from 1 nor"),
        ("path,fold\nsounds/00.wav,1\nsounds/01.wav,\n", "row 3: .*has a fold that is neither"),
        ("path,fold\nsounds/00.wav,train\nsounds/01.wav,2\n", "row 3: sounds/01.wav, fold 2: .* other than train, valid and"),
        ("path,fold\nsounds/00.wav,1\nsounds/01.wav,3\n", "has folds up to 3, and no clip in fold 2"),
        ("path,fold\nsounds/00.wav,1\nsounds/00.wav,1\n", "names the clip sounds/00.wav twice"),
        ("path,fold\n", "clips.csv names no sounds"),
        ("", "clips.csv cannot be read as a table"),
        ('path,fold\n"a,1\n', "clips.csv cannot be read as a table"),
    ],
)
def test_a_table_with_a_fault_is_refused_with_its_row(tmp_path, text, message):
    with pytest.raises(UserError, match=rf"folder: .*data:? .*{message}"):
        prepared(tmp_path / "out", "folder", [table(tmp_path, text)])


def test_damaged_clips_of_an_own_task_may_be_tolerated_in_its_section(tmp_path):
    files = {name: content[:-500] if name.endswith("07.wav") else content for name, content in folder_files().items()}
    with pytest.raises(UserError, match=r"folder: 1 of 12 clips are damaged(.|\n)*set own_tasks\.folder\.tolerate_clips"):
        prepared(tmp_path / "out", "folder", [write_folder(tmp_path / "data", files)])


@pytest.mark.parametrize("write", [write_folder, write_tar_gz])
def test_a_task_of_hear(tmp_path, write):
    files = hear_files()
    clips, logmel, _ = prepared(tmp_path / "out", "hear", [write(tmp_path / "task.tar.gz", files)])
    assert len(clips) == len(logmel) == 6
    assert clips.groupby("fold").label.unique().str.len().tolist() == [2, 2, 2]
    assert clips.file.str.contains("/16000/").all()
    assert np.isfinite(logmel).all()


def test_a_task_of_hear_with_missing_sounds_is_refused(tmp_path):
    files = {name: content for name, content in hear_files().items() if not name.endswith("1_fold02.wav")}
    with pytest.raises(UserError, match=r"hear: .*1 of 6 .* missing, the first is .*1_fold02.wav"):
        prepared(tmp_path / "out", "hear", [write_folder(tmp_path / "task", files)])
