"""Each dataset from a miniature of its archives, through the stage that prepares it."""

import numpy as np
import pytest

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.audio_files import audio_files
from doppelgangers.datasets.catalogue import DATASETS, OF_ONE_LABEL, TASKS
from doppelgangers.datasets.clips import open_clips
from doppelgangers.errors import UserError
from doppelgangers.evaluation.metrics import METRICS
from doppelgangers.pretraining.augment import read_impulse_responses
from tests.archives import write_archives, write_folder, write_zip
from tests.conftest import ROOT
from tests.miniatures import FILES, JUNK
from tests.prepared import prepared

NUMBERED = {dataset: list(range(1, count + 1)) for dataset, count in {"urbansound8k": 10, "vivae": 11, "crema_d": 5}.items()}
NUMBERED |= {"esc50": [1, 2, 3, 4, 5], "vocal_imitation": [1, 2, 3], "libricount": [1, 2, 3, 4, 5], "fsdd": [1, 2, 3, 4, 5, 6]}
FOLDS = {**NUMBERED, "fsd50k": ["test", "train", "valid"], "nsynth_pitch": ["test", "train", "valid"]}
CLIPS = {
    **{"esc50": 20, "urbansound8k": 20, "vivae": 22, "fsd50k": 25, "nsynth_pitch": 10, "crema_d": 20},
    **{"vocal_imitation": 18, "libricount": 30, "fsdd": 60},
}
LABELS = {
    **{"esc50": ["dog", "rooster"], "urbansound8k": ["dog_bark", "siren"], "vivae": ["anger", "pleasure"]},
    **{"fsd50k": ["Bark", "Bark;Siren", "Siren"], "nsynth_pitch": [21, 60], "crema_d": ["ANG", "HAP"]},
    **{"vocal_imitation": [f"{number:03d}Animal_Bark.wav" for number in range(3)], "libricount": [0, 1, 10]},
    "fsdd": list(range(10)),
}
LABEL = {task.dataset: task.label for task in reversed(TASKS.values())}


def test_every_row_of_the_catalogue_fits_the_code():
    for row in DATASETS.values():
        assert row.licence
        assert row.reference
        assert row.archives or not row.noncommercial
        assert not row.module or (ROOT / f"doppelgangers/datasets/{row.module}.py").is_file()
    for task in TASKS.values():
        assert DATASETS[task.dataset].module
        assert set(task.metrics) <= set(METRICS)
        assert not (task.multilabel and set(task.metrics) & OF_ONE_LABEL)


def test_the_impulse_responses_are_read_from_their_archive(tmp_path):
    (archive,) = write_archives(tmp_path / "downloads", "mit_ir")
    with Tree([archive], tmp_path / "scratch") as tree:
        names = audio_files(tree)
    assert names == sorted(name for name, content in FILES["mit_ir"]().items() if content != JUNK)
    responses = read_impulse_responses(archive, 16000)
    assert [response.shape for response in responses] == [(1, 3200)] * len(names) == [(1, 3200)] * 4
    assert all(response.abs().max() > 0.2 for response in responses)


@pytest.mark.parametrize("dataset", CLIPS)
def test_a_dataset_is_read_from_the_archives_of_the_catalogue(tmp_path, dataset):
    files = write_archives(tmp_path / "downloads", dataset)
    assert all(file.is_file() for file in files)
    clips, logmel, card = prepared(tmp_path / "out", dataset, files, threads=2)
    assert len(clips) == len(logmel) == card["clips"] == CLIPS[dataset]
    assert card["damaged"] == []
    assert sorted(clips.fold.unique()) == FOLDS[dataset]
    assert sorted(clips[LABEL[dataset]].unique()) == LABELS[dataset]
    assert {column for task in TASKS.values() if task.dataset == dataset for column in (task.label, task.fold)} <= set(clips)
    assert np.isfinite(logmel).all()
    assert (logmel.reshape(len(logmel), -1).max(axis=1) > 0).all()  # sound, not silence
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clips.csv", "dataset.json", "logmel.npy"]

    # The same from an unpacked folder.
    folder = write_folder(tmp_path / "unpacked/below", FILES[dataset]())
    again, patches, _ = prepared(tmp_path / "again", dataset, [folder.parent])
    columns = [column for column in clips.columns if column != "file"]
    assert again[columns].equals(clips[columns])
    np.testing.assert_array_equal(patches, logmel)


@pytest.mark.parametrize("dataset", [dataset for dataset in CLIPS if DATASETS[dataset].clips and dataset != "esc50"])
def test_the_pinned_release_has_to_be_whole(tmp_path, dataset):
    row, source = DATASETS[dataset], write_folder(tmp_path / "part", FILES[dataset]())
    with Tree([source], tmp_path / "scratch") as tree:
        expected = rf"{dataset}: .*part has {CLIPS[dataset]} clips, expected {row.clips}; .* set datasets.{dataset}.checksum"
        with pytest.raises(UserError, match=expected):
            open_clips(dataset, row, tree, pinned=True)


def refused(tmp_path, dataset, change, message):
    files = FILES[dataset]()
    change(files)
    archive = write_zip(tmp_path / "broken.zip", files)
    with pytest.raises(UserError, match=rf"{dataset}: .*broken.zip: .*{message}"):
        prepared(tmp_path / "out", dataset, [archive])
    assert not any((tmp_path / "out").glob("*.csv"))


@pytest.mark.parametrize(
    ("dataset", "name", "message"),
    [
        ("urbansound8k", "UrbanSound8K/metadata/UrbanSound8K.csv", "it has no metadata/UrbanSound8K.csv"),
        ("urbansound8k", "UrbanSound8K/audio/fold4/1004-8-0-0.wav", "1 of 20 recordings are missing, .*fold4/1004-8-0-0.wav"),
        ("fsd50k", "FSD50K.ground_truth/eval.csv", "it has no eval.csv"),
        ("fsd50k", "FSD50K.eval_audio/64784.wav", "1 of 25 recordings are missing, the first is 64784.wav"),
        ("nsynth_pitch", "nsynth-valid/", "it has no wav files in a folder nsynth-valid/audio"),
        ("vocal_imitation", "VocalImitationSet/vocal_imitations.txt", "it has no vocal_imitations.txt"),
        ("vivae", "VIVAE/full_set/", "it has no wav files in a folder full_set"),
        ("crema_d", "AudioWAV/", "it has no wav files in a folder AudioWAV"),
    ],
)
def test_what_is_missing_is_named(tmp_path, dataset, name, message):
    def without(files):
        for member in [member for member in files if member.startswith(name)]:
            del files[member]

    refused(tmp_path, dataset, without, message)


@pytest.mark.parametrize(
    ("dataset", "name", "content", "message"),
    [
        ("esc50", "meta/esc50.csv", b"filename,fold\n", "has no column category"),
        ("esc50", "meta/esc50.csv", b"filename,fold,category\na.wav,6,dog\n", r"folds other than 1 to 5: \[6\]"),
        ("urbansound8k", "UrbanSound8K.csv", b"slice_file_name,fold,class\na.wav,11,siren\n", r"other than 1 to 10: \[11\]"),
        ("urbansound8k", "UrbanSound8K.csv", b"", "UrbanSound8K.csv cannot be read as a table: No columns"),
        ("urbansound8k", "UrbanSound8K.csv", b"\xff\xfe\xff", "UrbanSound8K.csv cannot be read as a table"),
        ("vivae", "full_set/S01_anger_peak_00.wav", None, "1 of 22 .* not named like S04_surprise_peak_10.wav, .*odd.wav"),
        ("fsd50k", "dev.csv", b"fname,labels,mids,split\n1,Bark,/m/1,dev\n", "splits other than train and val: dev"),
        ("fsd50k", "dev.csv", b"fname,labels\n", "has no column split"),
        ("vocal_imitation", "vocal_imitations.txt", b"imitation_filename\treference_filename\n", "what 18 of the imitations"),
        ("libricount", "0_1000.wav", None, r"1 of 30 .* not named like 3_106.wav, the first is .*odd.wav"),
    ],
)
def test_what_is_not_the_dataset_is_refused(tmp_path, dataset, name, content, message):
    def change(files):
        member = next(member for member in files if member.endswith(name))
        if content is None:
            files[member.rpartition("/")[0] + "/odd.wav"] = files.pop(member)
        else:
            files[member] = content

    refused(tmp_path, dataset, change, message)


def test_columns_besides_the_label(tmp_path):
    clips, _, _ = prepared(tmp_path / "vivae", "vivae", write_archives(tmp_path, "vivae"))
    assert (clips.fold == clips.speaker.str[1:].astype(int)).all()
    assert set(clips.intensity) == {"peak"}
    clips, _, _ = prepared(tmp_path / "crema_d", "crema_d", write_archives(tmp_path, "crema_d"))
    assert clips.groupby("actor_fold").actor.nunique().tolist() == [2] * 5
    clips, _, _ = prepared(tmp_path / "fsdd", "fsdd", write_archives(tmp_path, "fsdd"))
    assert clips.groupby("fold").speaker.unique().str[0].tolist() == sorted(clips.speaker.unique())
    assert (clips.digit_fold == clips.digit // 2 + 1).all()
    assert clips.groupby("digit_fold").speaker.nunique().tolist() == [6] * 5


def test_the_clips_of_urbansound8k_are_in_the_order_of_its_table(tmp_path):
    """Of it the random validation set is drawn, as ARCH does, which reads the table too."""
    files = FILES["urbansound8k"]()
    head, *rows = files["UrbanSound8K/metadata/UrbanSound8K.csv"].decode().splitlines()
    rows = [rows[i * 7 % 20] for i in range(20)]
    files["UrbanSound8K/metadata/UrbanSound8K.csv"] = "\n".join([head, *rows]).encode()
    clips, _, _ = prepared(tmp_path / "out", "urbansound8k", [write_zip(tmp_path / "a.zip", files)])
    assert clips["clip"].tolist() == [row.split(",")[0] for row in rows]


def test_emotions_in_folders_of_their_own_are_read_too(tmp_path):
    files = {
        name.replace("full_set/", f"full_set/{name.split('_')[2]}/"): content for name, content in FILES["vivae"]().items()
    }
    clips, _, _ = prepared(tmp_path / "out", "vivae", [write_folder(tmp_path / "VIVAE", files)])
    assert len(clips) == 22


def test_a_repository_without_its_sounds_is_named_as_such(tmp_path):
    files = dict.fromkeys(FILES["crema_d"](), b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(
        UserError, match=r"crema_d: 20 of 20 clips are damaged(.|\n)*not a sound but a pointer of Git LFS; .* git lfs pull"
    ):
        prepared(tmp_path / "out", "crema_d", [write_zip(tmp_path / "CREMA-D-master.zip", files)])
