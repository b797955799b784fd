from collections import Counter

import numpy as np
import pytest

from doppelgangers.datasets import drums, notes
from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import TASKS
from doppelgangers.datasets.soundfont import SoundFont
from doppelgangers.errors import UserError


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


def test_every_fold_of_notes_holds_out_an_instrument_of_each_family(tmp_path):
    clips = notes.load(Tree([], tmp_path), True).table
    assert {TASKS[task].label for task in ("pitch", "family")} <= set(clips)
    assert clips["clip"].is_unique
    assert clips.groupby("program").fold.nunique().max() == 1
    assert (clips.groupby("fold").family.nunique() == 16).all()
    pitched = clips[clips.pitch.notna()]
    assert set(pitched.pitch) == set(range(21, 109))
    assert pitched.program.max() == 111


def test_every_fold_of_keys_has_each_instrument_and_no_key_of_another(tmp_path):
    clips, read, _ = notes.load(Tree([], tmp_path), True)
    task = TASKS["instrument"]
    named = clips[clips[task.label].notna()]
    assert named.program.max() == 111
    assert (named.groupby(task.label).program.nunique() == 1).all()
    assert named[named.program == 40].instrument.unique() == ["040 Violin"]
    assert (named.groupby("key")[task.fold].nunique() == 1).all()
    heard = [clip for clip in named.itertuples() if read(clip) is not None]
    counts = Counter((clip.program, clip.key_fold) for clip in heard)
    assert len(counts) == 112 * 4
    assert min(counts.values()) >= 2
    blocks = clips.groupby("key")[task.fold].first()
    assert blocks.loc[21:40].tolist() == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [1] * 4


def test_every_fold_of_drums_holds_out_a_kit_with_all_sounds(tmp_path):
    clips, read, _ = drums.load(Tree([], tmp_path), True)
    assert TASKS["percussion"].label in clips
    assert clips.groupby("fold").kit.nunique().tolist() == [1] * 7
    assert (clips.groupby("fold").key.nunique() == 47).all()
    clip = next(clips.itertuples())
    sound, rate = read(clip)
    assert rate == 16000
    assert sound.shape == (16000,)
    assert np.abs(sound).max() == pytest.approx(clip.velocity / 127)


def test_what_is_no_soundfont_is_refused(tmp_path):
    (tmp_path / "a.sf2").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"a.sf2 cannot be read as a SoundFont"):
        SoundFont(tmp_path / "a.sf2")
