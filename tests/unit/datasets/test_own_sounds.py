"""Sounds of the user's own: a folder with a table, or a task in HEAR's format."""

import dataclasses
import json
import unicodedata

import numpy as np
import pandas as pd
import pytest

from doppelgangers.datasets import folder
from doppelgangers.datasets.archive import Tree
from doppelgangers.errors import UserError
from tests.archives import write_folder, write_tar_gz, write_zip
from tests.miniatures import HEAR_METADATA, folder_files, hear_files, sound
from tests.prepared import OWN, prepared


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
        ("path,fold\nsounds/00.wav,1\nsounds/00.wav,1\n", "names the clip sounds/00.wav twice, in row 2 and row 3"),
        (
            "path,fold\nsounds/01.wav,1\n\nsounds/00.wav,1\nsounds//./00.wav,2\n",
            "names the clip sounds/00.wav twice, in row 4 and row 5, there as sounds//./00.wav",
        ),
        ("path,fold\n\n\nsounds/00.wav,1\nnope.wav,2\n", "row 5: nope.wav, fold 2: does not exist"),
        ('path,fold,note\nsounds/00.wav,1,"two\nlines"\n\nnope.wav,2,\n', "row 5: nope.wav, fold 2: does not exist"),
        ("path,fold\r\n\r\nnope.wav,2\r\n", "row 3: nope.wav, fold 2: does not exist"),
        ("path,fold\nsounds/00.wav,1,dog\n", "row 2: has 3 cells, and the table has 2 columns"),
        ("path,fold,a,a\n", "has two columns a: rename it"),
        ("path,Fold,label\nsounds/00.wav,1,a\n", r"has no column fold; .*it has path, Fold, label \(the key fold of the task"),
        ("path;fold\nsounds/00.wav;1\n", "has no column path, fold; it needs path, fold, .* separated by commas"),
        ("path,fold\nC:\\sounds\\00.wav,1\n", "row 2: C:.sounds.00.wav, fold 1: leads out of the folder"),
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


# --- the table of a folder


def load(files_or_folder, tmp_path, **told):
    """The table that the reader makes of a folder, or of files that are written to one."""
    top = files_or_folder if not isinstance(files_or_folder, dict) else write_folder(tmp_path / "mine", files_or_folder)
    with Tree([top], tmp_path / "scratch") as tree:
        return folder.load(tree, False, **told).table


def one_second(*names):
    return {name: sound(0, take, 16000) for take, name in enumerate(names)}


def test_spaces_around_cells_and_names_of_columns_do_not_count(tmp_path):
    text = '\ufeffpath, fold , label,\n0.wav, 1, dog \n\n "1.wav",2,"dog "\n 2.wav,3,dog house,\n'
    found = load({**one_second("0.wav", "1.wav", "2.wav"), "clips.csv": text.encode()}, tmp_path)
    assert found.columns.tolist() == ["clip", "fold", "label", "file"]
    assert found["clip"].tolist() == ["0.wav", "1.wav", "2.wav"]
    assert found.fold.tolist() == [1, 2, 3]
    assert found.label.tolist() == ["dog", "dog", "dog house"]


def test_the_column_of_folds_may_have_another_name(tmp_path):
    text = b"path,session,label\n0.wav,1,a\n1.wav,2,b\n2.wav,3,a\n"
    files = {**one_second("0.wav", "1.wav", "2.wav"), "clips.csv": text}
    assert load(files, tmp_path, fold="session").session.tolist() == [1, 2, 3]
    with pytest.raises(UserError, match=r"has no column fold; it needs path, fold, .*it has path, session, label"):
        load(files, tmp_path)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_names_match_in_both_codes_of_their_letters(tmp_path, forms):
    on_disk, in_table = (unicodedata.normalize(form, "Vögel/Krähe.wav") for form in forms)
    files = {**one_second(on_disk), "clips.csv": f"path,fold\n{in_table},1\n".encode()}
    assert load(files, tmp_path).file.tolist() == [unicodedata.normalize("NFC", on_disk)]


def test_an_absolute_path_may_lie_in_the_folder(tmp_path):
    (tmp_path / "linked").symlink_to(tmp_path / "mine")
    write_folder(tmp_path / "other", one_second("0.wav"))
    names = [f"{number}.wav" for number in range(6)]
    tops = ["mine", "linked", "mine/../mine", "linked/sub/..", "/mine", "mine/."]
    rows = "".join(f"{tmp_path}/{top}/{name},1\n" for top, name in zip(tops, names, strict=True))
    files = {**one_second(*names, "sub/x.wav"), "clips.csv": f"path,fold\n{rows}".encode()}
    assert load(files, tmp_path).file.tolist() == names
    assert load(tmp_path / "linked", tmp_path).file.tolist() == names
    (tmp_path / "mine/clips.csv").write_text(f"path,fold\n0.wav,1\n{tmp_path}/other/0.wav,1\n")
    with pytest.raises(UserError, match=r"row 3: .*/other/0.wav, fold 1: leads out of the folder"):
        load(tmp_path / "mine", tmp_path)


def test_a_sound_that_comes_twice_by_a_link_is_refused_with_both_rows(tmp_path):
    top = write_folder(tmp_path / "mine", one_second("a/0.wav", "1.wav"))
    (top / "b").symlink_to("a")
    (top / "clips.csv").write_text("path,fold\n1.wav,1\nb/0.wav,1\n")
    assert load(top, tmp_path).file.tolist() == ["1.wav", "b/0.wav"]
    (top / "clips.csv").write_text("path,fold\na/0.wav,1\n1.wav,1\nb/0.wav,1\n")
    with pytest.raises(UserError, match=r"names the clip a/0.wav twice, in row 2 and row 4, there as b/0.wav"):
        load(top, tmp_path)


def test_a_sound_behind_a_link_that_leads_nowhere_is_named(tmp_path):
    top = write_folder(tmp_path / "mine", {"clips.csv": b"path,fold\n0.wav,1\n"})
    (top / "0.wav").symlink_to("/mnt/gone/0.wav")
    with pytest.raises(UserError, match=r"row 2: 0.wav, fold 1: does not exist: it is a link to /mnt/gone/0.wav, which is not"):
        load(top, tmp_path)


def test_a_table_that_is_not_in_utf8_is_named(tmp_path):
    with pytest.raises(UserError, match=r"clips.csv cannot be read as a table: it is not in UTF-8; save it as CSV in UTF-8"):
        load({"clips.csv": "path,fold\nKrähe.wav,1\n".encode("latin-1")}, tmp_path)


# --- what a task of HEAR says of itself

TOLD = {"section": "own_tasks.mine", "clip_s": 0.2, "multilabel": False, "metric": "accuracy"}


def hear_task(tmp_path, metadata, told=TOLD, change=None):
    """Prepare the task with changes of its metadata, and what the configuration says."""
    files = hear_files()
    place = next(name for name in files if name.endswith("task_metadata.json"))
    about = {key: value for key, value in {**HEAR_METADATA, **metadata}.items() if value != "absent"}
    top = write_folder(tmp_path / "task", {**files, place: json.dumps(about).encode(), **(change or {})})
    row = dataclasses.replace(OWN["hear"], own=told)
    OWN["told"] = row
    try:
        return prepared(tmp_path / "out", "told", [top])
    finally:
        del OWN["told"]


@pytest.mark.parametrize(
    ("metadata", "told", "message"),
    [
        (
            {"prediction_type": "multilabel", "evaluation": ["mAP", "top1_acc", "d_prime", "aucroc"]},
            {},
            r"prediction_type multilabel, .*: set own_tasks.mine.multilabel: true, own_tasks.mine.metrics: \[mAP, auroc, d_",
        ),
        (
            {},
            {"multilabel": True, "metric": "mAP"},
            r"set own_tasks.mine.multilabel: false, own_tasks.mine.metrics: \[acc",
        ),
        ({"sample_duration": 8.0}, {"clip_s": 5.0}, r"sample_duration 8.0, .*: set own_tasks.mine.clip_s: 8$"),
        ({"evaluation": ["mAP"]}, {}, r"evaluation \['mAP'\]: set own_tasks.mine.metrics: \[mAP\]$"),
        (
            {"evaluation": ["pitch_acc", "chroma_acc"]},
            {"metric": "mAP"},
            r"own_tasks.mine.metrics: \[pitch_acc, chroma_acc\]$",
        ),
        ({"prediction_type": "regression"}, {}, "has the prediction_type regression, and probes are for multiclass and multi"),
        ({"embedding_type": "event"}, {}, r"has labels of moments \(embedding_type event\)"),
        ({"split_mode": "trainvaltest"}, {}, "has the split_mode trainvaltest, and the splits fold00, fold01, fold02"),
        ({"nfolds": 5}, {}, "has nfolds 5, and 3 splits"),
        ({"splits": "fold00"}, {}, "has the splits 'fold00', which is not a list of names"),
        ({"splits": ["fold00", "fold02"]}, {}, "expected the splits train, valid, test or fold00, fold01"),
        ({"sample_duration": "5 s"}, {}, "has the sample_duration '5 s', which is neither a number of seconds nor null"),
        ({"evaluation": "top1_acc"}, {}, "has the evaluation 'top1_acc', which is not a list"),
        ({"sample_duration": 0.05}, {}, r"6 of 6 clips are damaged(.|\n)*is 0.2 s long, and .* says sample_duration 0.05"),
        ({"prediction_type": "absent"}, {}, "task_metadata.json has no prediction_type"),
    ],
)
def test_what_contradicts_a_task_of_hear_is_refused(tmp_path, metadata, told, message):
    with pytest.raises(UserError, match=f"told: (.|\n)*{message}"):
        hear_task(tmp_path, metadata, {**TOLD, **told})


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({}, {}),
        ({}, {"clip_s": 5.0}),
        ({"sample_duration": None, "evaluation": "absent", "split_mode": "absent", "nfolds": "absent"}, {"clip_s": 0.1}),
        ({"prediction_type": "multilabel", "evaluation": ["mAP"]}, {"multilabel": True, "metric": "mAP"}),
        ({"evaluation": ["mAP", "top1_acc"]}, {}),
        ({"evaluation": ["something_new"]}, {}),
        ({"evaluation": ["d_prime"]}, {}),
    ],
)
def test_what_agrees_with_a_task_of_hear_is_accepted(tmp_path, metadata, told):
    assert len(hear_task(tmp_path, metadata, {**TOLD, **told})[0]) == 6


def test_a_sound_of_another_rate_than_its_folder_says_is_refused(tmp_path):
    name = next(name for name in hear_files() if name.endswith("16000/fold01/1_fold01.wav"))
    with pytest.raises(UserError, match=r"1 of 6 .*\n.*1_fold01.wav has a sample rate of 8000 Hz, and its folder says 16000"):
        hear_task(tmp_path, {}, change={name: sound(0, 1, 8000)})
