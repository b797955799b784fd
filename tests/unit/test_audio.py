import io

import numpy as np
import pytest
import soundfile

from doppelgangers.audio import decode, fit, resample
from doppelgangers.errors import UserError


def wav(samples, rate=16000, **options):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=options.pop("format", "WAV"), **options)
    return file.getvalue()


def test_channels_are_averaged():
    stereo = np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1)
    samples, rate = decode(wav(stereo, 22050, subtype="FLOAT"), "a.wav")
    assert rate == 22050
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, 0.125)


def test_a_truncated_wav_is_named_with_the_bytes_that_are_missing():
    whole = wav(np.zeros(1000))
    with pytest.raises(UserError, match=r"fold1/dog.wav is truncated: 500 of its 2044 bytes are missing"):
        decode(whole[:-500], "fold1/dog.wav")


def test_a_truncated_ogg_or_flac_is_named():
    whole = wav(np.random.default_rng(0).uniform(-1, 1, 16000), format="FLAC")
    with pytest.raises(UserError, match=r"a.flac"):
        decode(whole[: len(whole) // 2], "a.flac")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be decoded"),
        (b"this is no sound", "cannot be decoded"),
        (wav(np.zeros(0)), "is empty"),
        (wav(np.array([0.0, np.nan]), subtype="FLOAT"), "not finite"),
    ],
)
def test_damaged_files_are_named(data, message):
    with pytest.raises(UserError, match=f"x.wav.*{message}"):
        decode(data, "x.wav")


def test_resampling_keeps_the_tone():
    t = np.arange(44100) / 44100
    samples = resample(np.sin(2 * np.pi * 440 * t).astype(np.float32), 44100, 16000)
    assert len(samples) == 16000
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(samples[500:-500], expected[500:-500], atol=1e-3)


def test_fit_cuts_and_pads():
    assert fit(np.arange(3.0), 5).tolist() == [0, 1, 2, 0, 0]
    assert fit(np.arange(9.0), 5).tolist() == [0, 1, 2, 3, 4]
