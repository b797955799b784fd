import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import soxr
import torch

from doppelgangers.audio import decode
from doppelgangers.datasets import drums, notes
from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.datasets.download import download
from doppelgangers.datasets.prepare import prepare
from doppelgangers.datasets.soundfont import SoundFont
from doppelgangers.errors import UserError
from doppelgangers.files import checksum, read_json
from doppelgangers.frontend import LogMel
from tests.conftest import COMMIT, ESC10_SCRIPT, esc50_files, write_zip


def run_prepare(folder, source, dataset="esc50", pin="none", limit_clips=0, tolerate_clips=0):
    paths = [folder / name for name in ("clips.csv", "logmel.npy", "dataset.json")]
    prepare(*paths, dataset=dataset, source=source, checksum=pin, limit_clips=limit_clips, tolerate_clips=tolerate_clips)
    return pd.read_csv(paths[0]), np.load(paths[1]), read_json(paths[2])


def test_every_task_and_dataset_of_the_catalogue_fits_its_code():
    for row in DATASETS.values():
        assert row.licence
        assert row.source
        assert not row.url or row.checksum.startswith(("md5:", "sha256:"))
    for task in TASKS.values():
        assert task.dataset in DATASETS
        assert task.validation in ("next_fold", "random")


# --- download


def test_download_over_http_checks_and_retries(tmp_path, esc50_zip, serve):
    address, seen = serve
    good = f"md5:{checksum(esc50_zip, 'md5')}"
    download(tmp_path / "out/archive", dataset="esc50", url=f"{address}/flaky/esc50.zip", checksum=good)
    assert len(seen) == 2
    assert (tmp_path / "out/archive").read_bytes() == esc50_zip.read_bytes()


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_another_archive_than_the_pinned_one_is_refused(tmp_path, esc50_zip, serve, scheme):
    url = f"{serve[0]}/esc50.zip" if scheme == "http" else esc50_zip.as_uri()
    found = checksum(esc50_zip, "md5")
    message = rf"esc50: {url} has md5 {found}, expected 629e8e9ebc1592bcceb06da6bec40275.*datasets.esc50.checksum"
    with pytest.raises(UserError, match=message):
        download(tmp_path / "out/archive", dataset="esc50", url=url, checksum="")
    assert not any((tmp_path / "out").iterdir())
    download(tmp_path / "out/archive", dataset="esc50", url=url, checksum="none")
    assert (tmp_path / "out/archive").exists()


def test_a_url_that_does_not_answer_is_named_with_the_way_round(tmp_path, serve):
    with pytest.raises(UserError, match=r"esc50: http.*/nothing.zip cannot be fetched.*datasets.esc50.path"):
        download(tmp_path / "archive", dataset="esc50", url=f"{serve[0]}/nothing.zip", checksum="none")
    assert not (tmp_path / "archive").exists()


# --- ESC-50


@pytest.mark.parametrize("unpacked", [False, True])
def test_esc50_is_read_from_its_archive_or_folder(tmp_path, esc50_zip, unpacked):
    source = esc50_zip
    if unpacked:
        with zipfile.ZipFile(esc50_zip) as archive:
            archive.extractall(tmp_path / "unpacked")
        source = tmp_path / "unpacked"
    clips, logmel, card = run_prepare(tmp_path / "out", source)
    assert list(clips.columns) == ["clip", "fold", "category"]
    assert clips.fold.value_counts().to_dict() == dict.fromkeys(range(1, 6), 4)
    assert card["clips"] == 20
    assert logmel.shape == (20, 5, 96, 64)
    assert logmel.dtype == np.float16
    # The last clip, by hand: decoded, resampled, padded to 5 s.
    name = clips["clip"].iloc[-1]
    samples, rate = decode(esc50_files()[f"ESC-50-{COMMIT}/audio/{name}"], name)
    sound = np.zeros(80000, np.float32)
    sound[:8000] = soxr.resample(samples, rate, 16000)
    np.testing.assert_allclose(logmel[-1], LogMel()(torch.tensor(sound)), atol=4e-3)


def test_another_set_is_held_against_the_pinned_release_unless_told_otherwise(tmp_path, esc50_zip):
    with pytest.raises(UserError, match=r"meta/esc50.csv is not that of ESC-50.*checksum to \"none\""):
        run_prepare(tmp_path / "out", esc50_zip, pin="")


def broken(change):
    files = esc50_files()
    change(files)
    return files


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda files: files.pop(f"ESC-50-{COMMIT}/audio/3-101-A-1.wav"),
            "1 of 20 recordings are missing.*audio/3-101-A-1.wav",
        ),
        (lambda files: files.pop(f"ESC-50-{COMMIT}/meta/esc50.csv"), "does not hold meta/esc50.csv"),
        (
            lambda files: files.update({f"ESC-50-{COMMIT}/meta/esc50.csv": b"filename,fold\n"}),
            "lacks the columns target, category",
        ),
        (
            lambda files: files.update({f"ESC-50-{COMMIT}/meta/esc50.csv": b"filename,fold,target,category\na.wav,6,0,dog\n"}),
            r"folds other than 1 to 5: \[6\]",
        ),
    ],
)
def test_an_archive_that_lacks_something_is_refused(tmp_path, change, message):
    archive = write_zip(tmp_path / "broken.zip", broken(change))
    with pytest.raises(UserError, match=rf"broken.zip.*{message}"):
        run_prepare(tmp_path / "out", archive)
    assert not (tmp_path / "out/clips.csv").exists()


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "page.zip").write_text("<html>Not found</html>")
    with pytest.raises(UserError, match=r"page.zip is neither a folder nor a whole zip archive"):
        run_prepare(tmp_path / "out", tmp_path / "page.zip")


def test_damaged_clips_are_named_and_counted_and_may_be_tolerated(tmp_path):
    def damage(files):
        files[f"ESC-50-{COMMIT}/audio/1-100-A-0.wav"] = files[f"ESC-50-{COMMIT}/audio/1-100-A-0.wav"][:-1000]
        files[f"ESC-50-{COMMIT}/audio/2-100-A-0.wav"] = b"noise"

    archive = write_zip(tmp_path / "damaged.zip", broken(damage))
    with pytest.raises(UserError) as error:
        run_prepare(tmp_path / "out", archive, tolerate_clips=1)
    message = str(error.value)
    assert "esc50: 2 of 20 clips are damaged" in message
    assert "1-100-A-0.wav is truncated: 1000 of its" in message
    assert "2-100-A-0.wav cannot be decoded" in message
    assert "datasets.esc50.tolerate_clips" in message
    assert not any((tmp_path / "out").iterdir())
    clips, logmel, card = run_prepare(tmp_path / "out", archive, tolerate_clips=2)
    assert len(clips) == len(logmel) == card["clips"] == 18
    assert len(card["damaged"]) == 2
    assert "1-100-A-0.wav" not in set(clips["clip"])


def test_a_limit_keeps_some_clips(tmp_path, esc50_zip):
    clips, logmel, _ = run_prepare(tmp_path / "out", esc50_zip, limit_clips=7)
    everything, patches, _ = run_prepare(tmp_path / "all", esc50_zip)
    assert len(clips) == len(logmel) == 7
    rows = [everything["clip"].tolist().index(clip) for clip in clips["clip"]]
    np.testing.assert_array_equal(logmel, patches[rows])


@pytest.mark.skipif(not ESC10_SCRIPT, reason="ESC10_SCRIPT is not set: the recordings of ESC-10 are not at hand")
def test_real_recordings_in_esc50s_layout(tmp_path):
    archive = tmp_path / "esc10.zip"
    subprocess.run([sys.executable, ESC10_SCRIPT, archive], check=True)
    clips, logmel, card = run_prepare(tmp_path / "out", archive)
    assert card["clips"] == 400
    assert clips.groupby("fold").category.value_counts().unique().tolist() == [8]
    assert np.isfinite(logmel).all()
    assert (logmel.reshape(400, -1).max(axis=1) > 0).mean() > 0.9  # sound, not silence


# --- SoundFont


def strongest(spectrum, hz):
    """Largest value within 3 % of a frequency, in a spectrum with bins of 1 Hz."""
    return spectrum[round(hz * 0.97) : round(hz * 1.03) + 1].max()


def test_notes_have_their_pitch():
    font = SoundFont(None)
    for key, program in ((69, 73), (60, 19), (81, 0)):  # flute, church organ, piano
        note = font.play(program, key, 100, 1.5, 2.0)
        assert note.shape == (32000,)
        np.testing.assert_allclose(np.abs(note).max(), 100 / 127, rtol=1e-5)
        spectrum = np.abs(np.fft.rfft(note[4000:20000] * np.hanning(16000)))
        frequency = 440 * 2 ** ((key - 69) / 12)
        assert strongest(spectrum, frequency) > 20 * np.median(spectrum)
        assert strongest(spectrum, frequency) > 5 * strongest(spectrum, frequency * 2 ** (6 / 12))


def test_a_note_does_not_depend_on_the_one_before():
    font = SoundFont(None)
    alone = font.play(40, 60, 90, 0.5, 1.0)
    font.play(19, 48, 127, 0.9, 1.0)
    np.testing.assert_array_equal(font.play(40, 60, 90, 0.5, 1.0), alone)


def test_every_fold_of_notes_holds_out_an_instrument_of_each_family():
    clips, _ = notes.load(None, True)
    assert clips["clip"].is_unique
    assert clips.groupby("program").fold.nunique().max() == 1
    assert (clips.groupby("fold").family.nunique() == 16).all()
    pitched = clips[clips.pitch.notna()]
    assert set(pitched.pitch) == set(range(21, 109))
    assert pitched.program.max() == 111


def test_every_fold_of_drums_holds_out_a_kit_with_all_sounds():
    clips, read = drums.load(None, True)
    assert clips.groupby("fold").kit.nunique().tolist() == [1] * 7
    assert (clips.groupby("fold").key.nunique() == 47).all()
    sound, rate = read(next(clips.itertuples()))
    assert rate == 16000
    assert sound.shape == (16000,)


def test_what_is_no_soundfont_is_refused(tmp_path):
    (tmp_path / "a.sf2").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"a.sf2 cannot be read as a SoundFont"):
        SoundFont(tmp_path / "a.sf2")
