"""Sound files: decode and check them, mix them to mono, resample them, cut or pad them."""

import io

import numpy as np
import soundfile
import soxr

from doppelgangers.errors import UserError
from doppelgangers.sound_headers import check_length, completed, without_padding

BLOCK_SAMPLES = 2**16  # decoded at a time


def decode(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """Decode the content of a sound file.

    Args:
        data: content of a sound file, of a format that libsndfile knows. A header that leaves the length open, as
            programs write it to a pipe, is no fault.
        name: of the file, for messages.

    Returns:
        the mean of the channels, (T,) float32 in [-1, 1], or beyond where a file of floats is louder than full scale; and
        the sample rate in Hz.

    Raises:
        UserError: when the file is truncated, empty or not a sound file, or holds samples that are not finite.
    """
    blocks = []
    try:
        with soundfile.SoundFile(io.BytesIO(completed(data, name))) as file:
            # After each block soundfile seeks to where it is, which fails at the end of a flac file of unknown length.
            file.seekable = lambda: False
            while len(block := file.read(BLOCK_SAMPLES, dtype="float32", always_2d=True)):
                blocks.append(block.mean(axis=1))
            rate_hz, said, log, kind = file.samplerate, file.frames, file.extra_info, file.format
    except soundfile.LibsndfileError as error:
        raise UserError(f"{name} cannot be decoded: {error.error_string.strip()}") from error
    samples = np.concatenate(blocks) if blocks else np.empty(0, np.float32)
    check_length(data, kind, log, len(samples), said, name)
    samples = samples[: without_padding(log, len(samples))]
    if len(samples) == 0:
        raise UserError(f"{name} is empty: it holds no samples")
    if not np.isfinite(samples).all():
        raise UserError(f"{name} holds samples that are not finite")
    return samples, rate_hz


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample a sound (T,) with soxr's setting for high quality."""
    return samples if from_hz == to_hz else soxr.resample(samples, from_hz, to_hz, quality="HQ")


def fit(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut a sound (T,) to `length` samples, or pad it with silence at its end."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))
