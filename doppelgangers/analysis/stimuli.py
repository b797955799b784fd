"""Sounds for listeners: as loud as each other, and those with which volume and headphones are set."""

import base64
import io

import numpy as np
import soundfile

from doppelgangers.encoders.frontend import RATE_HZ

WINDOW_S, HOP_S = 0.4, 0.1  # of momentary loudness (EBU Tech 3341)
LOUDEST, QUIETEST = -23.0, -36.0  # target, in LKFS
PEAK = 10 ** (-1 / 20)  # that no sound exceeds: -1 dB
# Biquads of the K-weighting at 48 kHz (ITU-R BS.1770-5, tables 1 and 2): numerator, denominator.
K_WEIGHTING = (
    ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]),
    ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]),
)
TONE_HZ, TONE_S, RAMP_S = 200, 0.8, 0.1  # of the headphone check
QUIETER = 10 ** (-6 / 20)
NOISE_S = 3.0
BANDS = 24  # of a spectrum by which sounds are told apart


def loudness(sound: np.ndarray) -> float:
    """Largest momentary loudness of a mono sound, in LKFS: K-weighted energy of its loudest 400 ms.

    The weighting is applied to the spectrum, so that its coefficients for 48 kHz serve at 16 kHz.

    Args:
        sound: (T,) in [-1, 1] at 16 kHz; of a shorter one, all of it counts.

    Returns:
        -inf for silence.
    """
    samples = np.asarray(sound, np.float64)
    size = 2 * len(samples)
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size, 1 / RATE_HZ) / 48000)
    response = np.ones(len(z), complex)
    for numerator, denominator in K_WEIGHTING:
        response *= np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z)
    weighted = np.fft.irfft(np.fft.rfft(samples, size) * response, size)[: len(samples)]
    window = min(len(samples), round(WINDOW_S * RATE_HZ))
    energy = np.concatenate([[0.0], np.cumsum(weighted**2)])
    starts = np.append(np.arange(0, len(samples) - window, round(HOP_S * RATE_HZ)), len(samples) - window)
    mean = float(np.max(energy[starts + window] - energy[starts])) / window
    return -0.691 + 10 * np.log10(mean) if mean > 0 else -np.inf


def equally_loud(sounds: list[np.ndarray]) -> tuple[list[np.ndarray], float, int]:
    """Sounds at one loudness: the largest that all can have below their peak limit, from -36 to -23 LKFS.

    Args:
        sounds: each (T,), not silent.

    Returns:
        The sounds; that loudness; how many stay below it, at the peak limit, because they would need less than -36.
    """
    loud = np.array([loudness(sound) for sound in sounds])
    peaks = np.array([np.abs(sound).max() for sound in sounds])
    reachable = loud + 20 * np.log10(PEAK / peaks)
    target = float(np.clip(reachable.min(), QUIETEST, LOUDEST))
    gains = 10 ** ((np.minimum(target, reachable) - loud) / 20)
    return [gain * sound for gain, sound in zip(gains, sounds, strict=True)], target, int((reachable < target).sum())


def at_loudness(sound: np.ndarray, target: float) -> np.ndarray:
    """A sound at a loudness in LKFS."""
    return sound * 10 ** ((target - loudness(sound)) / 20)


def headphone_tones(target: float) -> dict[str, np.ndarray]:
    """Tones (T, 2) of which listeners say which is the quietest (Woods et al. 2017, doi:10.3758/s13414-017-1361-2).

    `antiphase` has opposite signs in both channels: loudspeakers, whose sounds meet in the air, make it the quietest;
    headphones do not, and `quiet` is, by 6 dB.
    """
    time_s = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
    ramp_s = min(RAMP_S, TONE_S / 4)
    ramp = np.sin(np.pi / 2 * np.clip(np.minimum(time_s, TONE_S - time_s) / ramp_s, 0, 1)) ** 2
    tone = at_loudness(ramp * np.sin(2 * np.pi * TONE_HZ * time_s), target)
    return {
        "plain": np.stack([tone, tone], axis=1),
        "quiet": QUIETER * np.stack([tone, tone], axis=1),
        "antiphase": np.stack([tone, -tone], axis=1),
    }


def pink_noise(target: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (T,) with the same energy in every octave from 50 Hz, to set the volume by."""
    size = round(NOISE_S * RATE_HZ)
    frequency = np.fft.rfftfreq(size, 1 / RATE_HZ)
    shape = np.where(frequency >= 50, 1 / np.sqrt(np.maximum(frequency, 1)), 0)
    return at_loudness(np.fft.irfft(shape * np.fft.rfft(rng.standard_normal(size)), size), target)


def farthest_pairs(sounds: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Rows of sounds whose spectra differ most, each in one pair only.

    Args:
        sounds: (N, T), N at least 2 count.
        count: number of pairs.
    """
    edges = np.geomspace(50, RATE_HZ / 2, BANDS + 1)
    frequency = np.fft.rfftfreq(sounds.shape[1], 1 / RATE_HZ)
    power = np.abs(np.fft.rfft(sounds)) ** 2
    inside = (frequency >= edges[:-1, None]) & (frequency < edges[1:, None])
    energy = power @ inside.T
    level = 10 * np.log10(energy / energy.sum(axis=1, keepdims=True) + 1e-4)
    distance = np.linalg.norm(level[:, None] - level[None], axis=2)
    found = []
    for _ in range(count):
        first, second = np.unravel_index(np.argmax(distance), distance.shape)
        found.append((int(first), int(second)))
        distance[[first, second]] = distance[:, [first, second]] = -1
    return found


def data_uri(sound: np.ndarray) -> str:
    """A sound as 16-bit WAV, whose length says nothing of what is in it, as that of FLAC would."""
    file = io.BytesIO()
    soundfile.write(file, sound, RATE_HZ, format="WAV", subtype="PCM_16")
    return "data:audio/wav;base64," + base64.b64encode(file.getvalue()).decode()
