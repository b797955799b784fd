import os
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soxr
import torch

from doppelgangers.audio import decode
from doppelgangers.datasets.clips import Clips, read_sounds
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.errors import UserError
from tests.archives import write_folder, write_zip
from tests.miniatures import COMMIT, esc50_files, sound, table, urbansound8k_files
from tests.prepared import prepared
from tests.recordings import pack

# Folder of the real recordings of ESC-10, as published; they are not part of this repository.
ESC10_RECORDINGS = os.environ.get("ESC10_RECORDINGS", "")
AUDIO = f"ESC-50-{COMMIT}/audio"


@pytest.mark.parametrize("unpacked", [False, True])
def test_esc50_is_read_from_its_archive_or_folder(tmp_path, esc50_zip, unpacked):
    source = write_folder(tmp_path / "unpacked", esc50_files()) if unpacked else esc50_zip
    clips, logmel, card = prepared(tmp_path / "out", "esc50", [source])
    assert list(clips.columns) == ["clip", "fold", "category", "file", "unpadded_s"]
    assert (clips.unpadded_s == 0.5).all()
    assert clips.fold.value_counts().to_dict() == dict.fromkeys(range(1, 6), 4)
    assert card["clips"] == 20
    assert card["patches"] == 5
    assert card["files"] == [str(source)]
    assert logmel.shape == (20, 5, 96, 64)
    assert logmel.dtype == np.float16
    # The last clip, computed here: decoded, resampled, padded to 5 s.
    name = clips["clip"].iloc[-1]
    samples, rate = decode(esc50_files()[f"{AUDIO}/{name}"], name)
    sound = np.zeros(80000, np.float32)
    sound[:8000] = soxr.resample(samples, rate, 16000)
    np.testing.assert_allclose(logmel[-1], LogMel()(torch.tensor(sound)), atol=4e-3)


def test_another_set_is_refused_unless_the_configuration_allows_it(tmp_path, esc50_zip):
    with pytest.raises(UserError, match=r"meta/esc50.csv is not that of ESC-50.*checksum to \"none\""):
        prepared(tmp_path / "out", "esc50", [esc50_zip], checksum="")


def test_stereo_is_mixed_down_and_8_khz_resampled(tmp_path):
    files = urbansound8k_files()
    clips, logmel, _ = prepared(tmp_path / "out", "urbansound8k", [write_zip(tmp_path / "a.zip", files)])
    frontend = LogMel()
    for name in ("1002-3-0-0.wav", "1003-3-0-0.wav"):
        fold = name[3]
        samples, rate = decode(files[f"UrbanSound8K/audio/fold{fold}/{name}"], name)
        assert rate == (8000 if fold == "2" else 44100)
        sound = np.zeros(80000, np.float32)
        sound[:3200] = soxr.resample(samples, rate, 16000)
        np.testing.assert_allclose(logmel[clips["clip"].tolist().index(name)], frontend(torch.tensor(sound)), atol=4e-3)


def test_the_length_of_a_clip_is_that_before_padding_and_after_cutting(tmp_path):
    files = {
        f"{name}.wav": sound(0, 0, rate, duration_s=seconds) for name, rate, seconds in (("a", 8000, 0.25), ("b", 44100, 7))
    }
    files |= {f"{name}.wav": sound(0, 0, 16000, duration_s=0.5) for name in ("c", "d")}
    rows = [(f"{name}.wav", fold, "x") for fold, name in enumerate("dcba", 1)]
    folder = write_folder(tmp_path / "mine", {**files, "clips.csv": table("path,fold,label", rows)})
    clips, _, _ = prepared(tmp_path / "out", "folder", [folder])
    assert dict(zip(clips["clip"], clips.unpadded_s, strict=True)) == {"a.wav": 0.25, "b.wav": 1, "c.wav": 0.5, "d.wav": 0.5}
    named = {**files, "clips.csv": table("path,fold,unpadded_s", rows)}
    with pytest.raises(UserError, match=r"folder: its table has a column unpadded_s, which .*: rename it"):
        prepared(tmp_path / "out", "folder", [write_folder(tmp_path / "named", named)])


def test_damaged_clips_are_named_and_counted_and_may_be_tolerated(tmp_path):
    files = esc50_files()
    files[f"{AUDIO}/1-100-A-0.wav"] = files[f"{AUDIO}/1-100-A-0.wav"][:-1000]
    files[f"{AUDIO}/2-100-A-0.wav"] = b"noise"
    archive = write_zip(tmp_path / "damaged.zip", files)
    with pytest.raises(UserError) as error:
        prepared(tmp_path / "out", "esc50", [archive], tolerate_clips=1)
    message = str(error.value)
    assert "esc50: 2 of 20 clips are damaged" in message
    assert "1-100-A-0.wav is truncated: 1000 of its" in message
    assert "2-100-A-0.wav cannot be decoded" in message
    assert "or set datasets.esc50.tolerate_clips to leave out up to this many" in message
    assert not any((tmp_path / "out").iterdir())
    clips, logmel, card = prepared(tmp_path / "out", "esc50", [archive], tolerate_clips=2)
    assert len(clips) == len(logmel) == card["clips"] == 18
    assert len(card["damaged"]) == 2
    assert "1-100-A-0.wav" not in set(clips["clip"])


def test_a_clip_that_occurs_twice_is_named(tmp_path):
    files = esc50_files()
    meta = f"ESC-50-{COMMIT}/meta/esc50.csv"
    files[meta] += files[meta].splitlines(keepends=True)[3]
    with pytest.raises(UserError, match=r"esc50: .*twice.zip names the clip 1-101-A-0.wav twice"):
        prepared(tmp_path / "out", "esc50", [write_zip(tmp_path / "twice.zip", files)])


def test_a_limit_keeps_some_clips(tmp_path, esc50_zip):
    clips, logmel, _ = prepared(tmp_path / "out", "esc50", [esc50_zip], limit_clips=7)
    everything, patches, _ = prepared(tmp_path / "all", "esc50", [esc50_zip])
    assert len(clips) == len(logmel) == 7
    rows = [everything["clip"].tolist().index(clip) for clip in clips["clip"]]
    np.testing.assert_array_equal(logmel, patches[rows])


def test_threads_do_not_change_a_byte(tmp_path, esc50_zip):
    for threads in (1, 3):
        prepared(tmp_path / str(threads), "esc50", [esc50_zip], threads=threads)
    for name in ("clips.csv", "logmel.npy", "dataset.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_memory_holds_a_few_sounds_however_many_there_are():
    rows = pd.DataFrame({"clip": [str(number) for number in range(200)]})
    sound_bytes = 16000 * 4
    clips = Clips(rows, lambda row: (np.full(16000, row.Index, np.float32), 16000))
    tracemalloc.start()
    try:
        order = []
        for label, sound in read_sounds(clips, rows, rate_hz=16000, duration_s=1.0, threads=2, faults=[], title="memory"):
            assert sound[0] == label
            order.append(label)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert order == list(range(200))
    assert peak < 40 * sound_bytes  # 4 sounds ahead for each thread, and those at work


@pytest.mark.skipif(not ESC10_RECORDINGS, reason="ESC10_RECORDINGS is not set: the recordings of ESC-10 are not at hand")
def test_real_recordings_in_esc50s_layout(tmp_path):
    archive = pack(Path(ESC10_RECORDINGS), tmp_path / "esc10.zip")
    clips, logmel, card = prepared(tmp_path / "out", "esc50", [archive], threads=2)
    assert card["clips"] == 400
    assert clips.groupby("fold").category.value_counts().unique().tolist() == [8]
    assert np.isfinite(logmel).all()
    assert (logmel.reshape(400, -1).max(axis=1) > 0).mean() > 0.9  # sound, not silence
