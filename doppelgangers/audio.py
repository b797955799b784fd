"""Sound files: decode and check them, mix them to mono, resample them, cut or pad them."""

import io
import struct

import numpy as np
import soundfile
import soxr

from doppelgangers.errors import UserError


def decode(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """Decode the content of a sound file.

    Args:
        data: content of a wav, flac, ogg or mp3 file.
        name: of the file, for messages.

    Returns:
        the mean of the channels, (T,) float32 in [-1, 1]; and the sample rate in Hz.

    Raises:
        UserError: when the file is truncated, empty or not a sound file, or holds samples that are not finite.
    """
    check_riff_length(data, name)
    try:
        samples, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{name} cannot be decoded: {error.error_string.strip()}") from error
    samples = samples.mean(axis=1)
    if len(samples) == 0:
        raise UserError(f"{name} is empty: it holds no samples")
    if not np.isfinite(samples).all():
        raise UserError(f"{name} holds samples that are not finite")
    return samples, rate_hz


def check_riff_length(data: bytes, name: str) -> None:
    """Check that a wav file is as long as its header says, because decoders do not report a truncated file.

    Raises:
        UserError: naming the file and how many bytes are missing.
    """
    if len(data) >= 12 and data[:4] == b"RIFF":
        (declared,) = struct.unpack("<I", data[4:8])
        # Programs that write a wav file to a stream set the length to 0 or to its largest value.
        if declared not in (0, 0xFFFFFFFF) and declared + 8 - len(data) > 1:
            raise UserError(f"{name} is truncated: {declared + 8 - len(data)} of its {declared + 8} bytes are missing")


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample a sound (T,) with soxr's setting for high quality."""
    return samples if from_hz == to_hz else soxr.resample(samples, from_hz, to_hz, quality="HQ")


def fit(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut a sound (T,) to `length` samples, or pad it with silence at its end."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))
