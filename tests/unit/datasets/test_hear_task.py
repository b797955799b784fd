"""HEAR's task folders: what is written is what HEAR's tools read, and what is read is what HEAR published."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from doppelgangers.datasets.hear_task import read_task, write_task
from doppelgangers.errors import UserError

RATE_HZ = 16000


def tone(pitch=0, samples=1600):
    return (0.5 * np.sin(2 * np.pi * (400 + 50 * pitch) * np.arange(samples) / RATE_HZ)).astype(np.float32)


def write(folder, sounds, **changes):
    settings = dict(name="toy", version="v1.0", mode="full", rate_hz=RATE_HZ, duration_s=0.1, prediction_type="multiclass")
    return write_task(folder, **(settings | {"evaluation": ["top1_acc"]} | changes), sounds=iter(sounds))


def read(folder):
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return read_task(names, lambda name: (folder / name).read_bytes())


def read_files(files):
    """The task in a mapping from the paths of files to their content."""
    return read_task(files, lambda name: files[name])


def in_splits(*splits, labels=("dog", "cat")):
    return [(f"{label}.wav", split, [label], tone(i)) for split in splits for i, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("splits", "folds", "mode"),
    [
        (["train", "valid", "test"], ["train", "valid", "test"], "trainvaltest"),
        (["fold00", "fold01", "fold02"], [1, 2, 3], "presplit_kfold"),
    ],
)
def test_what_is_written_is_read_back(tmp_path, splits, folds, mode):
    task = write(tmp_path, in_splits(*reversed(splits)))
    assert task == tmp_path / "toy-v1.0-full"
    clips, metadata = read(task)
    assert metadata["split_mode"] == mode
    assert metadata["splits"] == splits
    assert metadata.get("nfolds", 3) == 3
    expected = [
        (f"{split}/{label}.wav", fold, label, f"16000/{split}/{label}.wav")
        for split, fold in zip(splits, folds, strict=True)
        for label in ("dog", "cat")
    ]
    pd.testing.assert_frame_equal(clips, pd.DataFrame(expected, columns=["clip", "fold", "label", "file"]))
    sound, rate_hz = soundfile.read(task / clips.file[0], dtype="float32")
    assert rate_hz == RATE_HZ
    assert soundfile.info(task / clips.file[0]).subtype == "PCM_16"
    np.testing.assert_allclose(sound, tone(0), atol=1 / 32768)


def test_files_are_as_hears_tools_expect_them(tmp_path):
    """heareval finds the class of a label, as text, in the column idx; it asserts that the largest is the count minus one."""
    sounds = [(f"{pitch}.wav", split, [pitch], tone()) for split in ("train", "valid", "test") for pitch in (108, 21, 100)]
    task = write(tmp_path, sounds, evaluation=["pitch_acc", "chroma_acc"])
    assert (task / "labelvocabulary.csv").read_text() == "idx,label\n0,21\n1,100\n2,108\n"
    assert json.loads((task / "valid.json").read_text()) == {"108.wav": ["108"], "21.wav": ["21"], "100.wav": ["100"]}
    assert json.loads((task / "task_metadata.json").read_text()) == {
        "task_name": "toy",
        "version": "v1.0",
        "embedding_type": "scene",
        "prediction_type": "multiclass",
        "split_mode": "trainvaltest",
        "sample_duration": 0.1,
        "evaluation": ["pitch_acc", "chroma_acc"],
        "mode": "full",
        "splits": ["train", "valid", "test"],
    }


def test_multilabel_sounds_have_any_number_of_labels(tmp_path):
    labels = {"a.wav": ["x", "y, z"], "b.wav": ["x"], "c.wav": []}
    sounds = [(file, split, named, tone()) for split in ("train", "valid", "test") for file, named in labels.items()]
    clips, _ = read(write(tmp_path, sounds, prediction_type="multilabel"))
    assert clips.label.tolist() == ["x;y, z", "x", ""] * 3


def test_sounds_are_taken_one_by_one(tmp_path):
    written = []

    def sounds():
        for split in ("train", "valid", "test"):
            written.append(len(list(tmp_path.rglob("*.wav"))))
            yield "a.wav", split, ["x"], tone()

    write(tmp_path, sounds())
    assert written == [0, 1, 2]


def test_sounds_may_differ_in_length_where_no_duration_is_given(tmp_path):
    sounds = [("a.wav", split, ["x"], tone(samples=n)) for n, split in enumerate(("train", "valid", "test"), start=100)]
    clips, metadata = read(write(tmp_path, sounds, duration_s=None))
    assert metadata["sample_duration"] is None
    assert len(clips) == 3


NOT_FINITE = np.array([0.0, np.nan], np.float32)


@pytest.mark.parametrize(
    ("sounds", "words"),
    [
        ([("a.wav", "train", ["x"], tone()), ("a.wav", "train", ["x"], tone())], "train has two sounds of the name a.wav"),
        ([("b/a.wav", "train", ["x"], tone())], "'b/a.wav' cannot be the name"),
        ([("..", "train", ["x"], tone())], r"'\.\.' cannot be the name"),
        ([("nan.wav", "train", ["x"], NOT_FINITE)], "nan.wav is not a mono sound of finite samples"),
        ([("st.wav", "train", ["x"], np.zeros((1600, 2), np.float32))], "st.wav is not a mono sound"),
        ([("long.wav", "train", ["x"], tone(samples=1601))], "long.wav has 1601 samples, expected 1600"),
        ([("a.wav", "train", ["x;y"], tone())], "train/a.wav has the label 'x;y'"),
        ([("a.wav", "train", ["x", "y"], tone())], "train/a.wav has 2 labels"),
        ([("a.wav", "../out", ["x"], NOT_FINITE)], r"found \.\./out"),
        (in_splits("train", "valid"), "expected the splits .* found train, valid"),
        (in_splits("fold00", "fold02"), "found fold00, fold02"),
        (in_splits("train", "fold00"), "found fold00, train"),
        ([], "no sounds at all"),
    ],
)
def test_what_cannot_be_stored_is_named_and_nothing_is_left(tmp_path, sounds, words):
    with pytest.raises(UserError, match=words):
        write(tmp_path, sounds)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_attempt_leaves_the_task_that_was_there(tmp_path):
    task = write(tmp_path, in_splits("train", "valid", "test"))
    with pytest.raises(UserError):
        write(tmp_path, [*in_splits("train", "valid", "test"), ("nan.wav", "train", ["dog"], NOT_FINITE)])
    assert len(read(task)[0]) == 6
    write(tmp_path, in_splits("fold00", "fold01", "fold02", labels=("dog",)))
    assert len(read(task)[0]) == 3
    assert list(tmp_path.iterdir()) == [task]


def published(root="hear-2021.0.6/tasks/spoken_digit-1.0.9-small/", rate_hz=44100):
    """A miniature in the layout of HEAR's own archives: the keys of hear-preprocess, labels that JSON has as numbers."""
    metadata = {
        "task_name": "spoken_digit",
        "version": "1.0.9",
        "embedding_type": "scene",
        "prediction_type": "multiclass",
        "split_mode": "new_split_kfold",
        "nfolds": 5,
        "sample_duration": 0.56,
        "evaluation": ["top1_acc"],
        "download_urls": [{"split": "train", "url": "https://example.org/spoken_digit-small.zip", "md5": "0" * 32}],
        "default_mode": "full",
        "max_task_duration_by_fold": None,
        "tmp_dir": "_workdir",
        "mode": "small",
        "splits": [f"fold{number:02d}" for number in range(5)],
    }
    vocabulary = io.StringIO()
    csv.writer(vocabulary).writerows([["idx", "label"], [0, 3], [1, 7]])
    sound = io.BytesIO()
    soundfile.write(sound, tone(), rate_hz, format="WAV", subtype="PCM_16")
    files = {"task_metadata.json": json.dumps(metadata), "labelvocabulary.csv": vocabulary.getvalue()}
    for number in range(5):
        named = {f"tfds_id_spoken-digit-train-tfrecord-00000-of-00001-{10 * number + digit}.wav": [digit] for digit in (3, 7)}
        files[f"fold{number:02d}.json"] = json.dumps(named, indent=True)
        files |= {f"{rate_hz}/fold{number:02d}/{file}": sound.getvalue() for file in named}
    return {root + name: content if isinstance(content, bytes) else content.encode() for name, content in files.items()}


@pytest.mark.parametrize("root", ["hear-2021.0.6/tasks/spoken_digit-1.0.9-small/", "tasks/spoken_digit-1.0.9-small/", ""])
def test_a_published_archive_is_read_wherever_the_task_lies(root):
    clips, metadata = read_files(published(root))
    assert metadata["task_name"] == "spoken_digit"
    assert clips.fold.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert clips.label.tolist() == ["3", "7"] * 5
    assert clips["clip"].is_unique
    assert clips["clip"][2] == "fold01/tfds_id_spoken-digit-train-tfrecord-00000-of-00001-13.wav"
    assert clips.file[2] == f"{root}44100/{clips['clip'][2]}"


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [([44100, 48000, 22050], 22050), ([16000, 48000], 16000), ([8000, 11025], 11025), ([8000, 32000], 32000)],
)
def test_the_sample_rate_is_the_nearest_that_is_enough(rates, chosen):
    files = {name: content for rate in rates for name, content in published(rate_hz=rate).items()}
    clips, _ = read_files(files)
    assert {file.split("/")[3] for file in clips.file} == {str(chosen)}


def change_json(files, end, **changes):
    (name,) = [name for name in files if name.endswith(end)]
    files[name] = json.dumps(json.loads(files[name]) | changes).encode()


def drop(files, *ends):
    for name in [name for name in files if name.endswith(ends)]:
        del files[name]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda files: drop(files, "task_metadata.json"), "no HEAR task"),
        (lambda files: files.update(published("tasks/b/")), "several tasks.*spoken_digit-1.0.9-small, tasks/b"),
        (
            lambda files: change_json(files, "metadata.json", embedding_type="event"),
            r"spoken_digit has labels of moments \(embedding_type event\), not of whole sounds",
        ),
        (
            lambda files: files.update({next(iter(files)): b"{}"}),
            r"task_metadata\.json has no embedding_type, prediction_type, splits, task_name",
        ),
        (lambda files: files.update({next(iter(files)): b"{"}), "task_metadata.json is damaged"),
        (lambda files: drop(files, "fold03.json", "fold04.json"), r"2 of 6 files of the task.*fold03\.json"),
        (lambda files: drop(files, "labelvocabulary.csv"), "1 of 6 files of the task.*labelvocabulary.csv"),
        (
            lambda files: drop(files, "13.wav", "23.wav"),
            r"2 of 10 sounds are missing, the first is \S+/44100/fold01/\S+13\.wav",
        ),
        (lambda files: drop(files, ".wav"), "has no sounds: no folder is named after a sample rate"),
        (lambda files: change_json(files, "fold02.json", **{"a.wav": []}), "fold02/a.wav has 0 labels"),
        (lambda files: change_json(files, "fold02.json", **{"a.wav": ["3;7"]}), "fold02/a.wav has the label '3;7'"),
    ],
)
def test_a_task_that_cannot_be_used_is_refused_in_words(damage, words):
    files = published()
    damage(files)
    with pytest.raises(UserError, match=words):
        read_files(files)


def test_labels_have_to_be_in_the_vocabulary():
    files = published()
    name = next(name for name in files if name.endswith("fold04.json"))
    files[name] = json.dumps({file: [9] for file in json.loads(files[name])}).encode()
    with pytest.raises(UserError, match=r"1 of 3 labels in labelvocabulary\.csv are missing, the first is 9"):
        read_files(files)
