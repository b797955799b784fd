"""Features of sounds whose values follow from theory."""

import math

import numpy as np
import pytest

from doppelgangers.analysis import spectral
from doppelgangers.analysis.feature_units import UNITS
from doppelgangers.errors import UserError

RATE = 16000
TIME = np.arange(RATE) / RATE
FFT = 1024


@pytest.fixture(scope="module")
def extract():
    extractor = spectral.Extractor()
    return lambda sound: dict(zip(UNITS, extractor(np.asarray(sound)), strict=True))


def sine(hz, length=RATE):
    return np.sin(2 * np.pi * hz * np.arange(length) / RATE)


def stack(pitch_hz, amplitudes):
    """Harmonics with these amplitudes, whose phases are spread, scaled to a peak of 1."""
    sound = sum(a * np.sin(2 * np.pi * k * pitch_hz * TIME + k * k) for k, a in enumerate(amplitudes, start=1))
    return sound / np.abs(sound).max()


def noise(seed=0):
    sound = np.random.default_rng(seed).standard_normal(RATE)
    return sound / np.abs(sound).max()


def click(place=5000):
    return np.eye(1, RATE, place)[0]


def test_a_sine(extract):
    found = extract(sine(1000))
    assert found["centroid"] == pytest.approx(1000, abs=1)
    assert found["rolloff"] == pytest.approx(1000, abs=RATE / FFT)  # to a bin
    assert found["zero_crossings"] == pytest.approx(2000, abs=RATE / FFT)  # to one in a frame
    assert found["flux"] == pytest.approx(0, abs=1e-5)
    assert found["flatness"] == pytest.approx(0, abs=1e-3)
    # Hann's window spreads 1000 Hz, the middle of a bin, to three: 1/4, 1/2, 1/4 of the magnitude, which have 1.5 bit.
    assert found["entropy"] == pytest.approx(1.5, abs=0.02)
    assert found["complexity"] == 1
    assert found["dissonance"] == pytest.approx(0, abs=1e-4)
    assert found["inharmonicity"] == pytest.approx(0, abs=1e-6)
    assert found["pitch_salience"] == pytest.approx(0, abs=1e-3)
    assert found["pitch_confidence"] > 0.99
    assert found["level_range"] == pytest.approx(0, abs=0.01)
    assert found["temporal_centroid"] == pytest.approx(0.5, abs=1e-4)


def test_white_noise(extract):
    found = extract(noise())
    # Magnitudes of Gaussian noise have Rayleigh's distribution: geometric mean e^(-gamma / 2), arithmetic mean sqrt(pi) / 2.
    flatness = math.exp(-np.euler_gamma / 2) * 2 / math.sqrt(math.pi)
    assert found["flatness"] == pytest.approx(flatness, abs=0.01)
    # log2 513 - E[m log2 m] of Rayleigh magnitudes of mean 1, by integration.
    steps = np.linspace(1e-6, 12, 200_001)
    density, magnitude = steps * np.exp(-(steps**2) / 2), steps / math.sqrt(math.pi / 2)
    expected = math.log2(513) - (density * magnitude * np.log2(magnitude)).sum() * (steps[1] - steps[0])
    assert found["entropy"] == pytest.approx(expected, abs=0.02)
    assert found["centroid"] == pytest.approx(4000, abs=40)
    assert found["rolloff"] == pytest.approx(0.85 * 8000, abs=100)
    assert found["zero_crossings"] == pytest.approx(8000, abs=150)
    assert found["temporal_centroid"] == pytest.approx(0.5, abs=0.01)
    assert np.abs([found[f"mfcc_{number}"] for number in range(2, 13)]).max() < 3  # flat: mfcc_0 is about -220
    assert found["pitch_confidence"] < 0.3
    assert math.isnan(found["inharmonicity"])
    assert math.isnan(found["odd_to_even"])


def test_a_click(extract):
    found = extract(click())
    assert found["flatness"] == pytest.approx(1, abs=1e-4)
    assert found["centroid"] == pytest.approx(4000, abs=1)
    assert found["rolloff"] == pytest.approx(0.85 * 8000, abs=RATE / FFT)
    assert found["entropy"] == pytest.approx(math.log2(513), abs=1e-3)
    assert found["contrast"] == pytest.approx(-1, abs=1e-3)  # (peak / valley)^(1 / log mean), with peak = valley
    assert np.abs([found[f"mfcc_{number}"] for number in range(1, 13)]).max() < 0.01  # all bands alike
    assert found["temporal_centroid"] == pytest.approx(5000 / RATE, abs=1e-6)


@pytest.mark.parametrize("pitch_hz", [150, 220, 410])
def test_the_odd_to_even_ratio_of_harmonics_is_that_of_their_energies(extract, pitch_hz):
    numbers = np.arange(1, 13)
    amplitudes = 1.0 / numbers
    energies = amplitudes**2
    expected = 10 * math.log10(energies[::2].sum() / energies[1::2].sum())
    found = extract(stack(pitch_hz, amplitudes))
    assert found["odd_to_even"] == pytest.approx(expected, abs=0.3)
    assert found["inharmonicity"] < 0.02
    assert found["pitch_confidence"] > 0.8


def test_even_harmonics_alone_or_odd_ones_alone_have_a_defined_ratio(extract):
    assert extract(stack(250, [1, 0, 1 / 3, 0, 1 / 5, 0, 1 / 7]))["odd_to_even"] > 40
    assert extract(stack(200, [1, 2, 0, 2, 0, 2]))["odd_to_even"] < 0
    assert spectral.odd_to_even_db(1, 0) == 60
    assert spectral.odd_to_even_db(0, 1) == -60
    assert math.isnan(spectral.odd_to_even_db(0, 0))


def test_stretched_harmonics_have_the_inharmonicity_of_its_formula(extract):
    numbers, amplitudes = np.arange(1, 6), np.ones(5)
    hz = 400 * numbers * np.sqrt(1 + 0.002 * numbers**2)  # a stiff string
    sound = sum(np.sin(2 * np.pi * f * TIME + k) for k, f in zip(numbers, hz, strict=True))
    found = extract(sound)["inharmonicity"]
    # The mean distance from the nearest multiple of the first partial f0, weighted by energy, over f0: half of
    # Peeters's (2004), who divides by f0 / 2. Partials are found to a few Hz.
    expected = 1 / hz[0] * np.average(np.abs(hz - numbers * hz[0]), weights=amplitudes**2)
    assert found == pytest.approx(expected, rel=0.15)


def test_roughness_is_where_partials_are_a_quarter_of_a_critical_band_apart(extract):
    def dissonance(ratio):
        return extract(sine(1000) + sine(1000 * ratio))["dissonance"]

    rough, third, octave = dissonance(1.06), dissonance(1.26), dissonance(2)
    assert rough > 3 * third
    assert octave < 0.01


def test_a_ramp_has_the_attack_time_of_its_ramp(extract):
    ramp = np.minimum(TIME / 0.5, 1) * sine(1000)
    assert extract(ramp)["log_attack_time"] == pytest.approx(math.log10(0.7 * 0.5), abs=0.05)  # from 20 to 90 %
    shorter = np.minimum(TIME / 0.25, 1) * sine(1000)
    assert extract(ramp)["log_attack_time"] - extract(shorter)["log_attack_time"] == pytest.approx(math.log10(2), abs=0.05)


def test_a_decay_has_the_range_and_the_centroid_of_its_exponential(extract):
    found = extract(10 ** (-2 * TIME) * sine(1000))  # 40 dB a second
    frames_s = 29 * 512 / RATE  # from the first of 30 frames to the last
    assert found["level_range"] == pytest.approx(0.85 * frames_s * 40, abs=0.2)
    rate = 4 * math.log(10)
    expected = 1 / rate - math.exp(-rate) / (1 - math.exp(-rate))
    assert found["temporal_centroid"] == pytest.approx(expected, abs=0.002)


def test_flux_is_the_mean_distance_of_spectra(extract):
    sound = np.concatenate([sine(1000, 8192), sine(3000, RATE - 8192)])
    window = np.hanning(FFT)
    frames = np.lib.stride_tricks.sliding_window_view(sound / np.abs(sound).max(), FFT)[::512]
    spectra = np.abs(np.fft.rfft(frames * window, axis=1)) * 2 / window.sum()
    expected = np.linalg.norm(np.diff(spectra, axis=0), axis=1).mean()
    assert extract(sound)["flux"] == pytest.approx(expected, rel=1e-3)


def test_complexity_counts_partials(extract):
    assert extract(stack(500, np.ones(10)))["complexity"] == pytest.approx(10, abs=0.5)
    assert extract(stack(500, np.ones(4)))["complexity"] == pytest.approx(4, abs=0.5)


def test_a_level_changes_nothing(extract):
    sound = stack(200, 1 / np.arange(1, 20))
    loud, soft = extract(sound), extract(0.01 * sound)
    for name in UNITS:
        assert soft[name] == pytest.approx(loud[name], rel=1e-3, abs=1e-3), name


def test_padding_with_silence_leaves_the_spectrum(extract):
    sound = noise()
    padded = np.concatenate([sound[: 512 * 15], np.zeros(RATE - 512 * 15)])
    found, whole = extract(padded), extract(sound[: 512 * 15])
    for name in ("centroid", "flatness", "entropy", "rolloff", "mfcc_0"):
        assert found[name] == pytest.approx(whole[name], rel=0.03), name


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.zeros(0), np.zeros(1), np.full(RATE, 1e-5)])
def test_silence_has_no_features(extract, sound):
    assert np.isnan(list(extract(sound).values())).all()


@pytest.mark.parametrize("length", [1, 2, 10, 300, 1023, 1024, 1025, 1536])
def test_very_short_sounds_have_values_or_none(extract, length):
    found = extract(sine(1000, length) + 0.5)
    assert not np.isinf(list(found.values())).any()
    assert found["temporal_centroid"] <= length / RATE
    assert math.isnan(found["flux"]) == (length < 1536)  # one frame has no other
    if length >= 300:
        assert math.isfinite(found["centroid"])


def test_a_clipped_sound_has_all_features(extract):
    found = extract(np.clip(20 * stack(200, 1 / np.arange(1, 20)), -1, 1))
    assert np.isfinite(list(found.values())).all()


def test_what_came_before_a_sound_changes_no_bit(extract):
    sounds = [noise(), sine(440), click(), stack(200, 1 / np.arange(1, 20)), np.zeros(RATE), sine(50, 700)]
    alone = [list(extract(sound).values()) for sound in sounds]
    for first in sounds:
        for sound, expected in zip(sounds, alone, strict=True):
            extract(first)
            np.testing.assert_array_equal(list(extract(sound).values()), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(extract, bad):
    sound = sine(1000)
    sound[99] = bad
    with pytest.raises(UserError, match="not finite"):
        extract(sound)


def test_the_program_measures_a_part(tmp_path, extract):
    pcm = np.round(32767 * np.stack([sine(1000), noise(), np.zeros(RATE)])).astype(np.int16)
    np.save(tmp_path / "sounds.npy", pcm)
    spectral.main(str(tmp_path / "sounds.npy"), "1", "3", str(tmp_path / "part.npy"))
    part = np.load(tmp_path / "part.npy")
    np.testing.assert_array_equal(part[0], list(extract(pcm[1] / np.float32(32767)).values()))
    assert np.isnan(part[1]).all()
    spectral.main(str(tmp_path / "sounds.npy"), "3", "3", str(tmp_path / "part.npy"))
    assert np.load(tmp_path / "part.npy").shape == (0, len(UNITS))
