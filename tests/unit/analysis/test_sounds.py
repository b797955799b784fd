import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.sounds import (
    Sound,
    loudest,
    read_set,
    sample_dataset_sounds,
    sample_noise,
    sample_recorded_sounds,
    sample_synthetic_sounds,
    write_sounds,
)
from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.datasets.prepare import prepare
from doppelgangers.errors import UserError
from doppelgangers.files import read_json
from doppelgangers.pretraining.recordings import decode_recordings
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from tests.archives import write_folder
from tests.recorded import sound_files

RATE_HZ = 16000


def tone(amplitude, duration_s=1.0, clip="tone", view=""):
    samples = amplitude * np.sin(2 * np.pi * 440 * np.arange(round(duration_s * RATE_HZ)) / RATE_HZ)
    return Sound(clip, view, samples.astype(np.float32), 0.0, duration_s)


def test_sounds_are_levelled_and_silent_ones_are_left_out_and_counted(tmp_path):
    clips = [[tone(0.25)], [tone(0.0005)], [tone(3.0)]]
    write_sounds(tmp_path, clips, name="tones", facts={"kind": "dataset"}, duration_s=1.0)
    sounds, table, about = read_set(tmp_path)
    assert sounds.shape == (2, RATE_HZ)
    np.testing.assert_allclose(np.abs(sounds).max(axis=1), 1)
    np.testing.assert_allclose(sounds[0], sounds[1], atol=1e-4)
    assert table["peak"].tolist() == pytest.approx([0.25, 3.0], abs=1e-3)
    # |3 sin| is 1 or more where |sin| is a third or more: 1 - 2 / pi * asin(1/3) of the time.
    assert table["clipped"].tolist() == pytest.approx([0, 1 - 2 / np.pi * np.arcsin(1 / 3)], abs=1e-2)
    assert (about["count"], about["silent"], about["short"], about["clipped"]) == (2, 1, 0, 1)


def test_a_pair_of_which_one_view_is_silent_is_left_out(tmp_path):
    pairs = [[tone(0.5, view="a"), tone(0.0, view="b")], [tone(0.5, view="a"), tone(0.4, view="b")]]
    write_sounds(tmp_path, pairs, name="pairs", facts={"kind": "synthetic"}, duration_s=1.0)
    sounds, table, about = read_set(tmp_path)
    assert (len(sounds), table["view"].tolist(), about["count"], about["silent"]) == (2, ["a", "b"], 1, 1)
    sounds, table, _ = read_set(tmp_path, views="a")
    assert (len(sounds), table["sound"].tolist()) == (1, [0])


def test_where_all_are_silent_there_is_nothing_to_look_at(tmp_path):
    with pytest.raises(UserError, match="tones are all silent"):
        write_sounds(tmp_path, [[tone(0)]], name="tones", facts={}, duration_s=1.0)
    assert not list(tmp_path.iterdir())


def test_the_loudest_window_is_that_of_most_energy():
    samples = np.full(5 * RATE_HZ, 0.01, np.float32)
    samples[round(2.31 * RATE_HZ) : round(3.31 * RATE_HZ)] = 0.5
    found = loudest("clip", samples, 1.0)
    assert (found.start_s, found.length_s) == (2.31, 1.0)
    np.testing.assert_array_equal(found.samples, np.full(RATE_HZ, 0.5, np.float32))


def test_a_clip_that_is_shorter_is_padded_with_silence():
    found = loudest("clip", np.ones(RATE_HZ // 4, np.float32), 1.0)
    assert (found.start_s, found.length_s, len(found.samples), found.samples.sum()) == (0.0, 0.25, RATE_HZ, RATE_HZ / 4)
    assert len(loudest("clip", np.empty(0, np.float32), 1.0).samples) == RATE_HZ


def test_both_views_of_pairs_that_no_training_has_seen(tmp_path):
    recipe = PairRecipe("percussive", 0.1, duration_s=0.25)
    sample_synthetic_sounds(tmp_path, name="percussive-0.1", recipe=recipe, count=3)
    sounds, table, about = read_set(tmp_path)
    assert sounds.shape == (6, 4000)
    assert table["view"].tolist() == ["a", "b"] * 3
    assert table["clip"].tolist() == ["0", "0", "1", "1", "2", "2"]
    assert (about["kind"], about["architecture"], about["delta"]) == ("synthetic", "percussive", "0.1")
    trained_on = np.asarray(PairGenerator(recipe).render(np.arange(3))).reshape(6, -1)
    trained_on = trained_on / np.abs(trained_on).max(axis=1, keepdims=True)
    assert np.abs(sounds - trained_on).max(axis=1).min() > 0.1


def test_clips_of_a_dataset_are_drawn_and_found_again(tmp_path):
    files = sound_files(6, samples=16000)
    rows = [f"{path},{i % 2 + 1},one" for i, path in enumerate(files)]
    folder = write_folder(tmp_path / "own", {**files, "clips.csv": "\n".join(["path,fold,label", *rows]).encode()})
    row = Dataset(module="folder", licence="", clip_s=2.0, own={"fold": "fold"})
    paths = [tmp_path / name for name in ("clips.csv", "logmel.npy", "dataset.json")]
    told = {"row": row, "files": [folder], "checksum": ""}
    prepare(*paths, dataset="own", limit_clips=0, tolerate_clips=0, **told)
    for name in ("one", "two"):
        sample_dataset_sounds(tmp_path / name, name="own", clips=paths[0], count=4, duration_s=0.5, **told)
    sounds, table, about = read_set(tmp_path / "one")
    assert sounds.shape == (4, 8000)
    assert set(table["clip"]) < set(pd.read_csv(paths[0])["clip"].astype(str))
    assert about["kind"] == "dataset"
    np.testing.assert_array_equal(sounds, read_set(tmp_path / "two")[0])
    sample_dataset_sounds(tmp_path / "all", name="own", clips=paths[0], count=99, duration_s=0.5, **told)
    assert len(read_set(tmp_path / "all")[0]) == 6


def test_recordings_are_drawn(tmp_path):
    folder = write_folder(tmp_path / "own", sound_files(3, samples=16000))
    manifest = tmp_path / "decoded/recordings.csv"
    decode_recordings(manifest, path=folder, limit_files=0, tolerate_files=0, seed=0, threads=1)
    sample_recorded_sounds(tmp_path / "set", name="recordings-own", recordings=manifest, count=2, duration_s=0.5)
    sounds, table, about = read_set(tmp_path / "set")
    assert (sounds.shape, about["kind"]) == ((2, 8000), "recordings")
    assert set(table["clip"]) < set(pd.read_csv(manifest)["path"])


def test_noise_is_white(tmp_path):
    sample_noise(tmp_path, name="noise", count=20, duration_s=1.0)
    sounds, _, _ = read_set(tmp_path)
    power = np.square(np.abs(np.fft.rfft(sounds))).mean(axis=0)
    bands = power[1:8001].reshape(8, 1000).mean(axis=1)
    np.testing.assert_allclose(bands / bands.mean(), 1, atol=0.05)
    assert read_json(tmp_path / "sounds.json")["kind"] == "noise"


def test_a_table_that_does_not_fit_is_named(tmp_path):
    sample_noise(tmp_path, name="noise", count=2, duration_s=0.1)
    np.save(tmp_path / "sounds.npy", np.zeros((3, 1600), np.int16))
    with pytest.raises(UserError, match="3 sounds and 2 rows"):
        read_set(tmp_path)
