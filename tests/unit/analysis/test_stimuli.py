import base64
import io

import numpy as np
import pytest
import soundfile

from doppelgangers.analysis.stimuli import (
    PEAK,
    at_loudness,
    data_uri,
    equally_loud,
    farthest_pairs,
    headphone_tones,
    loudness,
    pink_noise,
)

RATE_HZ = 16000


def sine(frequency, amplitude=1.0, duration_s=1.0):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(duration_s * RATE_HZ)) / RATE_HZ)


def test_loudness_is_that_of_the_recommendation():
    # ITU-R BS.1770: a sine of 997 Hz at full scale in one channel has -3.01 LKFS, and 20 dB less are 20 LU less.
    assert loudness(sine(997)) == pytest.approx(-3.01, abs=0.02)
    assert loudness(sine(997, 0.1)) == pytest.approx(-23.01, abs=0.02)


@pytest.mark.parametrize("frequency", [50, 100, 500, 2000, 4000, 6000])
def test_the_weighting_is_that_of_the_recommendation(frequency):
    # The analogue filters behind its coefficients (De Man 2014): a shelf of 4 dB at 1682 Hz and a high-pass at 38 Hz.
    def gain_db(frequency):
        high, shelf = 1j * frequency / 38.13547087602444, 1j * frequency / 1681.974450955533
        top = 10 ** (3.999843853973347 / 20)
        shelved = (top * shelf**2 + top**0.4996667741545416 / 0.7071752369554196 * shelf + 1) / (
            shelf**2 + shelf / 0.7071752369554196 + 1
        )
        return 20 * np.log10(abs(shelved * high**2 / (high**2 + high / 0.5003270373238773 + 1)))

    expected = gain_db(frequency) - gain_db(997)
    assert loudness(sine(frequency)) - loudness(sine(997)) == pytest.approx(expected, abs=0.05)


def test_of_a_long_sound_the_loudest_part_counts():
    burst = np.concatenate([np.zeros(RATE_HZ), sine(997, duration_s=0.4), np.zeros(RATE_HZ)])
    assert loudness(burst) == pytest.approx(-3.01, abs=0.1)
    assert loudness(np.zeros(1000)) == -np.inf
    assert loudness(sine(997, duration_s=0.1)) == pytest.approx(-3.01, abs=0.1)


def test_sounds_become_equally_loud_below_their_peak_limit():
    sounds, target, limited = equally_loud([sine(300), sine(3000, 0.01), sine(1000, 0.5)])
    assert (target, limited) == (-23, 0)
    assert [loudness(sound) for sound in sounds] == pytest.approx([-23] * 3)
    burst = sine(997) * (np.arange(RATE_HZ) < 0.004 * RATE_HZ)  # a hundredth of 400 ms: 20 dB below the sine
    sounds, target, limited = equally_loud([sine(300), burst])
    assert limited == 0
    assert target == pytest.approx(-3.01 - 1 - 20, abs=0.3)
    assert [loudness(sound) for sound in sounds] == pytest.approx([target] * 2)
    assert max(np.abs(sound).max() for sound in sounds) == pytest.approx(PEAK)


def test_a_click_that_cannot_be_loud_lowers_the_others_only_so_far():
    click = np.zeros(RATE_HZ)
    click[100] = 1
    sounds, target, limited = equally_loud([sine(300), click])
    assert (target, limited) == (-36, 1)
    assert loudness(sounds[0]) == pytest.approx(-36)
    assert np.abs(sounds[1]).max() == pytest.approx(PEAK)


def test_the_antiphase_tone_is_gone_where_both_channels_meet_and_is_the_louder_one_in_headphones():
    tones = headphone_tones(-23)
    energy = {name: (tone**2).mean() for name, tone in tones.items()}
    mixed = {name: (tone.mean(axis=1) ** 2).mean() for name, tone in tones.items()}
    assert energy["plain"] == energy["antiphase"]
    assert 10 * np.log10(energy["quiet"] / energy["plain"]) == pytest.approx(-6)
    assert mixed["antiphase"] == 0 < mixed["quiet"]


def test_the_noise_has_as_much_energy_in_every_octave():
    noise = pink_noise(-23, np.random.default_rng(0))
    power, frequency = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / RATE_HZ)
    octaves = [power[(frequency >= low) & (frequency < 2 * low)].sum() for low in (125, 250, 500, 1000, 2000)]
    assert np.ptp(10 * np.log10(octaves)) < 1.5
    assert loudness(noise) == pytest.approx(-23)


def test_the_farthest_pairs_are_those_of_other_spectra_and_share_no_sound():
    frequencies = [200, 210, 5000, 5100, 1000, 1010]
    noise = 0.001 * np.random.default_rng(0).standard_normal((6, RATE_HZ))
    pairs = farthest_pairs(np.stack([sine(frequency) for frequency in frequencies]) + noise, 3)
    assert sorted(row for pair in pairs for row in pair) == list(range(6))
    octaves = [abs(np.log2(frequencies[one] / frequencies[other])) for one, other in pairs[:1]]
    assert octaves[0] > 2


def test_a_data_uri_holds_the_sound():
    head, _, code = data_uri(at_loudness(sine(440), -23)).partition(",")
    assert head == "data:audio/wav;base64"
    sound, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(code)))
    assert rate_hz == RATE_HZ
    np.testing.assert_allclose(sound, at_loudness(sine(440), -23), atol=2**-15)
