import io
import struct

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
    ids=["nothing", "text", "no samples", "not a number"],
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


def tone(seconds=1.0, rate=16000, channels=1):
    samples = 0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(samples))
    return np.repeat((samples + noise)[:, None], channels, axis=1)


def test_floats_beyond_full_scale_are_kept():
    loud = np.array([0.5, 1.5, -3.0, 100.0], np.float32)
    for kind in ("FLOAT", "DOUBLE"):
        assert decode(wav(loud, subtype=kind), "a.wav")[0].tolist() == loud.tolist()
    with pytest.raises(UserError, match=r"a.wav .*not finite"):
        decode(wav(np.array([0.0, np.inf]), subtype="FLOAT"), "a.wav")


CONTAINERS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3", "NIST"]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("container", CONTAINERS)
def test_whole_files_are_read_and_truncated_ones_refused_in_every_format_and_code(container, channels):
    """libsndfile reads what is there of a truncated file, in most formats without a word."""
    codes = 0
    for code in soundfile.available_subtypes(container):
        try:
            whole = wav(tone(1, channels=channels), format=container, subtype=code)
        except soundfile.LibsndfileError:
            continue  # not written for this rate or number of channels
        samples, rate = decode(whole, "a")
        codes += 1
        assert rate == 16000
        # Codes in blocks, whose containers do not all have the true length.
        padded = code.startswith(("MPEG", "IMA", "MS_ADPCM", "GSM", "G72", "NMS", "ALAC"))
        assert len(samples) == 16000 or (padded and 16000 <= len(samples) < 16000 + 2500), (code, len(samples))
        for cut in (2, 3, 50, 1000, len(whole) // 2, len(whole) * 9 // 10):
            try:
                found, _ = decode(whole[:-cut], "a")
            except UserError:
                continue
            # What was cut off was no sound.
            assert len(found) == len(samples), (code, cut)
            np.testing.assert_allclose(found, samples, atol=1e-5)
    assert codes


def test_formats_whose_length_nobody_knows_are_refused():
    with pytest.raises(UserError, match=r"a.mat is of the format MAT5, .*: convert it to wav"):
        decode(wav(tone(), format="MAT5"), "a.mat")


def with_sizes(content, riff, data):
    """A wav file with these sizes in its header."""
    start = content.index(b"data")
    return content[:4] + struct.pack("<I", riff) + content[8 : start + 4] + struct.pack("<I", data) + content[start + 8 :]


LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"
STREAMED = {
    "ffmpeg": lambda whole: (0xFFFFFFFF, 0xFFFFFFFF),
    "sox": lambda whole: (0x7FFFF024, 0x7FFFF000),
    "largest signed": lambda whole: (0x7FFFFFFF, 0x7FFFFFFF),
    "arecord": lambda whole: (0x80000024, 0x80000000),
    "zeros": lambda whole: (0, 0),
    "killed": lambda whole: (36, 0),
    "file size": lambda whole: (len(whole), len(whole) - whole.index(b"data") - 8),
    "file size twice": lambda whole: (len(whole), len(whole)),
    "file size of the sound": lambda whole: (len(whole) - 8, len(whole)),
    "only the sound": lambda whole: (len(whole) - 8, 0xFFFFFFFF),
    "only the file": lambda whole: (0, len(whole) - whole.index(b"data") - 8),
}


@pytest.mark.parametrize("program", STREAMED)
@pytest.mark.parametrize("code", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_file_that_was_written_to_a_pipe_is_read_to_its_end(program, code, channels):
    whole = wav(tone(channels=channels), subtype=code)
    expected, _ = decode(whole, "a.wav")
    streamed = with_sizes(whole, *STREAMED[program](whole))
    samples, _ = decode(streamed, "a.wav")
    np.testing.assert_array_equal(samples, expected)
    if "file size" not in program:
        np.testing.assert_array_equal(decode(streamed + LIST, "a.wav")[0], expected)


def test_other_formats_that_were_written_to_a_pipe_are_read_to_their_end():
    def change(content, mark, at, value):
        place = content.index(mark) + at
        return content[:place] + value + content[place + len(value) :]

    unknown = b"\xff" * 8
    flac = bytearray(wav(tone(), format="FLAC"))
    flac[21] &= 0xF0  # the number of samples, 36 bits, and a checksum
    flac[22:42] = bytes(20)
    streamed = {
        "AU": change(wav(tone(), format="AU"), b".snd", 8, unknown[:4]),
        "CAF": change(wav(tone(), format="CAF"), b"data", 4, unknown),
        "AIFF": change(change(wav(tone(), format="AIFF"), b"FORM", 4, unknown[:4]), b"SSND", 4, unknown[:4]),
        "W64": change(wav(tone(), format="W64"), b"data", 16, unknown),
        "FLAC": bytes(flac),
    }
    for name, content in streamed.items():
        expected, _ = decode(wav(tone(), format=name), name)
        np.testing.assert_array_equal(decode(content, name)[0], expected, err_msg=name)
    with pytest.raises(UserError, match=r"a.flac cannot be decoded"):
        decode(streamed["FLAC"][:-500], "a.flac")


def test_a_wav_file_that_is_cut_by_the_length_of_its_header_is_no_streamed_one():
    whole = wav(tone())
    with pytest.raises(UserError, match=r"a.wav is truncated: 44 of its 32044 bytes are missing"):
        decode(whole[:-44], "a.wav")


def test_the_padding_of_the_last_block_is_no_sound():
    for code in ("MS_ADPCM", "GSM610"):
        assert len(decode(wav(tone(), subtype=code), "a.wav")[0]) == 16000


def test_joined_ogg_files_are_refused():
    ogg = wav(tone(), format="OGG")
    with pytest.raises(UserError, match=r"a.ogg holds several sounds one after another"):
        decode(ogg + ogg, "a.ogg")


def test_an_mp3_that_was_damaged_in_the_middle_is_refused():
    mp3 = bytearray(wav(tone(), format="MP3"))
    mp3[len(mp3) // 2 : len(mp3) // 2 + 400] = bytes(400)
    with pytest.raises(UserError, match=r"a.mp3"):
        decode(bytes(mp3), "a.mp3")
