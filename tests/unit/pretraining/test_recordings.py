import logging
import os
import sys

import numpy as np
import pandas as pd
import pytest
import soxr

from doppelgangers.datasets.audio_files import AUDIO
from doppelgangers.errors import UserError
from doppelgangers.pretraining import recordings
from doppelgangers.pretraining.crops import RecordingPairs
from doppelgangers.pretraining.recordings import decode_recordings
from tests.archives import write_folder, write_tar_gz, write_zip
from tests.recorded import FORMATS, encoded, noise, sound_files

SETTINGS = dict(limit_files=0, tolerate_files=0, seed=0, threads=2, shard_samples=8000)


def decoded(folder, path, **changes):
    """Decode, and read what was written: the manifest's rows, and the sounds (T,) int16 by path."""
    decode_recordings(folder / "recordings.csv", path=path, **{**SETTINGS, **changes})
    return read(folder)


def read(folder):
    table = pd.read_csv(folder / "recordings.csv")
    shards = {name: np.fromfile(folder / name, np.int16) for name in table["shard"].unique()}
    return table, {row.path: shards[row.shard][row.start : row.start + row.samples] for row in table.itertuples()}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "shards.json"}


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar_gz], ids=["folder", "zip", "tar"])
def test_every_sample_of_a_source_is_found_again(tmp_path, write):
    files = sound_files(7)
    table, sounds = decoded(tmp_path / "out", write(tmp_path / "source", {**files, "notes/read.me": b"text"}))
    assert list(table["path"]) == sorted(files)
    for i, name in enumerate(sorted(files)):
        assert np.abs(sounds[name] - noise(3200 + i, seed=i)[:, 0] * 32767).max() <= 1.5
    # Three recordings fill a shard of at least 8,000 samples; each is a file of them and nothing else.
    assert table["shard"].value_counts().sort_index().tolist() == [3, 3, 1]
    for shard, rows in table.groupby("shard"):
        assert (tmp_path / "out" / shard).stat().st_size == 2 * rows["samples"].sum()
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".csv", ".json", ".pcm", ".pcm", ".pcm"]


def test_formats_rates_and_channels_end_as_mono_at_16_khz(tmp_path):
    time = np.arange(22050) / 44100
    tones = np.stack([np.sin(2 * np.pi * 500 * time), np.sin(2 * np.pi * 1500 * time)], axis=1).astype(np.float32) * 0.5
    source = write_folder(tmp_path / "in", {f"{name.upper()}.{name}": encoded(tones, 44100, f) for name, f in FORMATS.items()})
    _, sounds = decoded(tmp_path / "out", source)
    expected = soxr.resample(tones.mean(axis=1), 44100, 16000)
    assert len(sounds) == len(FORMATS)
    for name, sound in sounds.items():
        lossy = name.endswith((".ogg", ".mp3"))
        middle = slice(1000, 7000)
        if lossy:  # an encoder may shift the phase: compare spectra
            found, wanted = (np.abs(np.fft.rfft(x[middle])) for x in (sound / 32767, expected))
            assert np.abs(found - wanted).max() < 0.1 * wanted.max()
        else:
            np.testing.assert_allclose(sound[middle] / 32767, expected[middle], atol=1e-3)


def test_a_killed_run_continues_and_ends_with_the_same_files(tmp_path, monkeypatch):
    source = write_folder(tmp_path / "in", sound_files(10))
    decoded(tmp_path / "undisturbed", source)
    taken, decode = [], recordings.decode

    def die_in_the_second_shard(data, name):
        taken.append(name)
        if len(taken) == 6:
            raise KeyboardInterrupt
        return decode(data, name)

    monkeypatch.setattr(recordings, "decode", die_in_the_second_shard)
    with pytest.raises(KeyboardInterrupt):
        decoded(tmp_path / "out", source, threads=1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["shards.json", "sounds-00000.pcm"]
    taken.clear()
    monkeypatch.setattr(recordings, "decode", lambda data, name: (taken.append(name), decode(data, name))[1])
    decoded(tmp_path / "out", source)
    assert len(taken) == 7  # the first shard, of three, was kept
    assert content(tmp_path / "out") == content(tmp_path / "undisturbed")


def test_shards_are_kept_up_to_the_first_whose_files_changed(tmp_path, monkeypatch):
    files = sound_files(10)
    source = write_folder(tmp_path / "in", files)
    decoded(tmp_path / "out", source)
    taken, decode = [], recordings.decode
    monkeypatch.setattr(recordings, "decode", lambda data, name: (taken.append(name), decode(data, name))[1])
    decoded(tmp_path / "out", source)
    assert taken == []
    write_folder(source, {"some/where/04.wav": encoded(noise(3300, seed=99))})
    _, sounds = decoded(tmp_path / "out", source)
    assert len(taken) == 7
    assert len(sounds["some/where/04.wav"]) == 3300
    taken.clear()
    write_folder(source, {"some/where/10.wav": encoded(noise(3300, seed=10))})  # the last shard was short
    table, _ = decoded(tmp_path / "out", source)
    assert len(taken) == 2
    assert len(table) == 11
    taken.clear()
    decoded(tmp_path / "out", source, code="another")
    assert len(taken) == 11


def test_damaged_files_are_named_and_counted_and_may_be_tolerated(tmp_path, caplog):
    files = sound_files(5)
    files["some/where/01.wav"] = files["some/where/01.wav"][:-1000]
    files["some/where/03.wav"] = b"no sound"
    files["some/where/04.wav"] = encoded(np.zeros((0, 1), np.float32))
    source = write_folder(tmp_path / "in", files)
    with pytest.raises(UserError) as error:
        decoded(tmp_path / "out", source, tolerate_files=2)
    message = str(error.value)
    for part in ("3 of 5", "01.wav is truncated: 1000 of", "03.wav cannot be decoded", "04.wav is empty", "tolerate_files"):
        assert part in message
    assert not (tmp_path / "out/recordings.csv").exists()
    with caplog.at_level(logging.WARNING):
        table, _ = decoded(tmp_path / "out", source, tolerate_files=3)
    assert list(table["path"]) == ["some/where/00.wav", "some/where/02.wav"]
    assert "03.wav cannot be decoded" in caplog.text
    write_folder(source, {"some/where/03.wav": encoded(noise(3200, seed=3))})
    assert len(decoded(tmp_path / "out", source, tolerate_files=3)[0]) == 3


def test_what_cannot_be_used_is_refused_in_words(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=rf"empty holds no audio file: looked for {AUDIO[0]}, "):
        decoded(tmp_path / "out", tmp_path / "empty")
    with pytest.raises(UserError, match="absent does not exist"):
        decoded(tmp_path / "out", tmp_path / "absent")
    source = write_folder(tmp_path / "in", {"a.wav": b"no sound", "b.mp3": b"none either"})
    with pytest.raises(UserError, match=r"2 of 2(.|\n)*a.wav cannot be decoded(.|\n)*b.mp3(.|\n)*None can be decoded"):
        decoded(tmp_path / "out", source, tolerate_files=10)


def test_room_on_the_disk_is_looked_for_before(tmp_path, monkeypatch):
    source = write_folder(tmp_path / "in", sound_files(3, samples=16000))
    asked = []
    monkeypatch.setattr(recordings, "require_space", lambda folder, needed, what: asked.append(needed))
    decoded(tmp_path / "out", source)
    assert asked == [pytest.approx(3 * 2 * 16001, abs=2)]


def test_a_limit_draws_the_same_files_whatever_the_order_on_disk(tmp_path):
    files = sound_files(12)
    source = write_folder(tmp_path / "in", files)
    mirror = write_folder(tmp_path / "mirror", dict(reversed(files.items())))
    drawn = [list(decoded(tmp_path / f"out{i}", path, limit_files=5)[0]["path"]) for i, path in enumerate((source, mirror))]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 5
    assert list(decoded(tmp_path / "other", source, limit_files=5, seed=1)[0]["path"]) != drawn[0]
    assert len(decoded(tmp_path / "all", source, limit_files=50)[0]) == 12


def test_silence_is_a_recording(tmp_path):
    source = write_folder(tmp_path / "in", {"silent.wav": encoded(np.zeros((2000, 1), np.float32))})
    _, sounds = decoded(tmp_path / "out", source)
    np.testing.assert_array_equal(sounds["silent.wav"], np.zeros(2000))


def test_threads_do_not_change_a_byte(tmp_path):
    source = write_folder(tmp_path / "in", sound_files(9))
    for threads in (1, 3):
        decoded(tmp_path / str(threads), source, threads=threads)
    assert content(tmp_path / "1") == content(tmp_path / "3")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep file names in Unicode")
def test_names_need_not_be_in_unicode(tmp_path):
    names = [os.fsdecode(b"caf\xe9.wav"), "back\\slash.wav", 'comma, and "quote".wav']
    source = write_folder(tmp_path / "in", {name: encoded(noise(3200, seed=1)) for name in names})
    for _ in range(2):  # made, then kept
        decode_recordings(tmp_path / "out/recordings.csv", path=source, **SETTINGS)
    table = pd.read_csv(tmp_path / "out/recordings.csv", encoding_errors="surrogateescape")
    assert sorted(table["path"]) == sorted([names[0], "back/slash.wav", names[2]])
    assert len(RecordingPairs(tmp_path / "out/recordings.csv", seed=0, samples=1600)) == 3


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar_gz])
def test_odd_names_are_kept(tmp_path, write):
    names = ["Vögel/Krähe.wav", "10:30, dawn.wav", "a 'b' \"c\".wav", "d//e.wav", "-f.wav", "#g.WAV"]
    source = write(tmp_path / "in", {name: encoded(noise(100 + i, seed=i)) for i, name in enumerate(names)})
    _, sounds = decoded(tmp_path / "out", source)
    assert {name: len(sound) for name, sound in sounds.items()} == {
        name.replace("//", "/"): 100 + i for i, name in enumerate(names)
    }


def test_recordings_in_linked_folders_are_decoded(tmp_path):
    disk = write_folder(tmp_path / "disk", {f"{i}.wav": encoded(noise(100 + i, seed=i)) for i in range(5)})
    source = write_folder(tmp_path / "in", {"a.wav": encoded(noise(200, seed=9))})
    (source / "more").symlink_to(disk)
    (source / "more/round").symlink_to(source)
    _, sounds = decoded(tmp_path / "out", source)
    assert {name: len(sound) for name, sound in sounds.items()} == {
        "a.wav": 200,
        **{f"more/{i}.wav": 100 + i for i in range(5)},
    }
    (disk / "0.wav").write_bytes(encoded(noise(150, seed=0)))  # the shard is not kept when what a link leads to has changed
    assert len(decoded(tmp_path / "out", source)[1]["more/0.wav"]) == 150
    (source / "more").unlink()
    (source / "more").symlink_to(tmp_path / "not mounted")
    with pytest.raises(UserError, match=r"1 of 2(.|\n)*more cannot be read: it is a link to .*not mounted, which is not there"):
        decoded(tmp_path / "out", source)


def test_a_loud_recording_becomes_quieter_and_is_not_clipped(tmp_path):
    loud = 4 * noise(3200, seed=0)
    source = write_folder(tmp_path / "in", {"loud.wav": encoded(loud, subtype="FLOAT"), "quiet.wav": encoded(loud / 4)})
    _, sounds = decoded(tmp_path / "out", source)
    expected = loud[:, 0] / np.abs(loud).max() * 32767
    assert np.abs(sounds["loud.wav"] - expected).max() <= 1
    assert np.abs(sounds["quiet.wav"] - loud[:, 0] / 4 * 32767).max() <= 1.5
