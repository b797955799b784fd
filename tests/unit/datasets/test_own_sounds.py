"""Sounds that the user brings: VGGSound's, a folder of their own, a task of HEAR."""

import logging

import numpy as np
import pandas as pd
import pytest

from doppelgangers.datasets.catalogue import DATASETS
from doppelgangers.errors import UserError
from tests.archives import write_archives, write_folder, write_tar_gz, write_zip
from tests.miniatures import JUNK, folder_files, hear_files, vggsound_files
from tests.prepared import prepared


@pytest.fixture
def vggsound(tmp_path):
    """The user's folder and the index that is fetched."""
    files = vggsound_files()
    (index,) = write_archives(tmp_path / "downloads", "vggsound")
    assert index.name == DATASETS["vggsound"].archives[0].file
    return [write_folder(tmp_path / "mine", {name: files[name] for name in files if name != index.name}), index]


def test_vggsound_joins_the_users_sounds_to_the_index(tmp_path, vggsound, caplog):
    with caplog.at_level(logging.WARNING):
        clips, logmel, _ = prepared(tmp_path / "out", "vggsound", vggsound)
    assert clips["clip"].tolist() == ["--0PQM4-hqg_000030", "-0CamVQdP_Y_000000", "0ABCDEFGHIJ_000110"]
    assert clips.label.tolist() == ["waterfall burbling", "orchestra, playing", "barking"]
    assert clips.fold.tolist() == clips.split.tolist() == ["train", "train", "test"]
    assert (logmel.reshape(3, -1).max(axis=1) > 0).all()
    assert "1 of 4 rows of vggsound.csv have no file; the first is absent______000005" in caplog.text
    assert "1 sound files are not in vggsound.csv, and are passed over" in caplog.text


def test_videos_alone_are_refused(tmp_path, vggsound):
    videos = write_folder(tmp_path / "videos", {"0ABCDEFGHIJ_000110.mp4": JUNK})
    message = r"vggsound: .*videos, .*: none of the 4 clips .* --0PQM4-hqg_000030.wav; take the sound out of videos first"
    with pytest.raises(UserError, match=message):
        prepared(tmp_path / "out", "vggsound", [videos, vggsound[1]])


def test_another_table_is_not_vggsounds_index(tmp_path, vggsound):
    vggsound[1].write_text("id,start,label,split\nx,1,barking,train\n")
    with pytest.raises(UserError, match=r"vggsound.csv is not VGGSound's"):
        prepared(tmp_path / "out", "vggsound", vggsound)


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
        ("file,fold\n", "lacks the columns path; it needs path, fold, and one per label"),
        ("path,fold,clip\n", "has the columns clip, whose names are taken: rename them"),
        ("path,fold\nsounds/00.wav,1\n,1\n", "row 3: .*has no path"),
        ("path,fold\nsounds/00.wav,1\n/etc/a.wav,1\n", "row 3: /etc/a.wav, .*: leads out of the folder"),
        ("path,fold\nsounds/../../../a.wav,1\n", r"row 2: sounds/../../../a.wav, .*: leads out of the folder"),
        ("path,fold\nsounds/00.wav,1\nsounds/x.wav,1\ny.wav,1\n", r"row 3: sounds/x.wav, .*is not there \(2 rows are like"),
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


@pytest.mark.parametrize("write", [write_folder, write_tar_gz])
def test_a_task_of_hear(tmp_path, write):
    files = hear_files()
    clips, logmel, _ = prepared(tmp_path / "out", "hear", [write(tmp_path / "task.tar.gz", files)])
    assert len(clips) == len(logmel) == 6
    assert clips.groupby("fold").label.unique().str.len().tolist() == [2, 2, 2]
    assert clips.file.str.contains("/16000/").all()
    assert np.isfinite(logmel).all()


def test_a_task_of_hear_that_lacks_sounds_is_refused(tmp_path):
    files = {name: content for name, content in hear_files().items() if not name.endswith("1_fold02.wav")}
    with pytest.raises(UserError, match=r"hear: .*1 of 6 .* missing, the first is .*1_fold02.wav"):
        prepared(tmp_path / "out", "hear", [write_folder(tmp_path / "task", files)])
