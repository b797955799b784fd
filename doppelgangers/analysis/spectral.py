"""Features of sounds by Essentia, in processes of their own.

Essentia's licence is the AGPL-3.0. This module is the only one that imports it, and no other module of the package imports this
one: `features.py` runs it as a program,

    python -m doppelgangers.analysis.spectral SOUNDS.npy FIRST LAST FEATURES.npy

Every algorithm is told the rate, because Essentia's defaults are for 44.1 kHz and would scale results without a word, and
those that remember are reset for each sound: a sound has the same features whatever came before it.
"""

import sys

import essentia
import numpy as np

from doppelgangers.analysis.feature_units import MFCC_COUNT, UNITS
from doppelgangers.errors import UserError

essentia.log.infoActive = False  # it says at its import what it was built without

from essentia import standard  # noqa: E402

RATE_HZ = 16000
FRAME, HOP = 1024, 512  # samples: 64 and 32 ms
FULL_SCALE = 32767
SILENT = 1e-3  # a sound whose peak is below, -60 dB, has no features
QUIET = 1e-6  # frames whose power is below this share of the loudest frame's, -60 dB, are taken for silence
LEAST_PEAK = 1e-3  # of a spectrum's highest: lower peaks are rounding or leakage
MOST_PEAKS, MOST_HARMONICS = 60, 20
PITCHED = 0.5  # confidence from which a frame has a pitch; white noise has about 0.15
BOUND_DB = 60.0  # of odd to even: a sound may have no even harmonics at all


class Extractor:
    """Features of sounds at 16 kHz, one after another."""

    def __init__(self) -> None:
        rate: dict[str, float] = {"sampleRate": RATE_HZ}
        self.window = standard.Windowing(type="hann", size=FRAME, normalized=True, zeroPhase=False)
        self.spectrum = standard.Spectrum(size=FRAME)
        self.flux = standard.Flux(norm="L2")
        self.complexity = standard.SpectralComplexity(**rate)
        self.centroid = standard.Centroid(range=RATE_HZ / 2)
        self.rolloff = standard.RollOff(**rate)
        self.flatness = standard.Flatness()
        self.entropy = standard.Entropy()
        self.contrast = standard.SpectralContrast(frameSize=FRAME, highFrequencyBound=7900, **rate)
        # The strongest peaks: in order of frequency it would keep the lowest.
        self.peaks = standard.SpectralPeaks(
            minFrequency=20, maxFrequency=8000, maxPeaks=MOST_PEAKS, orderBy="magnitude", magnitudeThreshold=LEAST_PEAK, **rate
        )
        self.pitch = standard.PitchYinFFT(frameSize=FRAME, maxFrequency=RATE_HZ / 2, **rate)
        self.harmonics = standard.HarmonicPeaks(maxHarmonics=MOST_HARMONICS)
        self.inharmonicity = standard.Inharmonicity()
        self.dissonance = standard.Dissonance()
        self.salience = standard.PitchSalience(**rate)
        self.crossings = standard.ZeroCrossingRate()
        self.mfcc = standard.MFCC(
            inputSize=FRAME // 2 + 1, numberCoefficients=MFCC_COUNT, highFrequencyBound=7900, logType="dbpow", **rate
        )
        self.envelope = standard.Envelope(**rate)
        self.attack = standard.LogAttackTime(**rate)

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        """Features of a sound, (F,) float64 in the order of `UNITS`; NaN for those that it does not have.

        A silent or an empty sound has none; one without a pitch has no inharmonicity and no odd-to-even ratio; one of a single
        frame has no flux. A sound shorter than a frame is padded to one; the rest that does not fill a frame is left out.

        Args:
            sound: (T,) in [-1, 1]; it is scaled to a peak of 1 first.

        Raises:
            UserError: when samples are not finite: Essentia would wait for ever.
        """
        if not np.isfinite(sound).all():
            raise UserError("a sound holds samples that are not finite: make it again")
        peak = float(np.abs(sound).max(initial=0))
        if peak < SILENT:
            return np.full(len(UNITS), np.nan)
        samples = np.asarray(sound / peak, np.float32)
        padded = np.pad(samples, (0, max(0, FRAME - len(samples))))
        frames = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP])
        power = np.square(frames, dtype=np.float64).mean(axis=1)
        found = {**self.of_frames(frames, power > QUIET * power.max()), **self.of_whole(samples, power)}
        return np.array([found[name] for name in UNITS])

    def of_frames(self, frames: np.ndarray, sounding: np.ndarray) -> dict[str, float]:
        """Means over the frames (n, FRAME) that sound; those of harmonics over the frames with a pitch."""
        self.flux.reset()
        rows, flux, inharmonicity, odd, even = [], [], [], 0.0, 0.0
        for frame, sounds in zip(frames, sounding, strict=True):
            spectrum = self.spectrum(self.window(frame))
            flux.append(self.flux(spectrum))
            if not sounds or not spectrum.any():
                continue
            highest = spectrum.max()
            frequencies, magnitudes = self.peaks(spectrum / highest)
            order = np.argsort(frequencies)
            frequencies, magnitudes = frequencies[order], magnitudes[order]
            pitch_hz, confidence = self.pitch(spectrum)
            if confidence >= PITCHED and len(frequencies):
                places, amplitudes = self.harmonics(frequencies, magnitudes, pitch_hz)
                inharmonicity.append(self.inharmonicity(places, amplitudes))
                energies = np.square(amplitudes * highest, dtype=np.float64)
                odd, even = odd + energies[0::2].sum(), even + energies[1::2].sum()
            rows.append(
                [
                    self.complexity(spectrum),
                    self.centroid(spectrum),
                    self.rolloff(spectrum),
                    self.flatness(spectrum),
                    self.entropy(spectrum),
                    self.contrast(spectrum)[0].mean(),
                    self.dissonance(frequencies, magnitudes) if len(frequencies) else 0.0,
                    self.salience(spectrum),
                    confidence,
                    self.crossings(frame) * RATE_HZ,
                    *self.mfcc(spectrum)[1],
                ]
            )
        names = ["complexity", "centroid", "rolloff", "flatness", "entropy", "contrast", "dissonance", "pitch_salience"]
        names += ["pitch_confidence", "zero_crossings", *(name for name in UNITS if name.startswith("mfcc"))]
        return {
            **dict(zip(names, mean_rows(rows, len(names)), strict=True)),
            "flux": float(np.mean(flux[1:], dtype=np.float64)) if len(flux) > 1 else np.nan,  # the first is against nothing
            "inharmonicity": float(np.mean(inharmonicity, dtype=np.float64)) if inharmonicity else np.nan,
            "odd_to_even": odd_to_even_db(odd, even),
        }

    def of_whole(self, samples: np.ndarray, power: np.ndarray) -> dict[str, float]:
        """Features of the course of a sound (T,), whose frames have these powers (n,)."""
        self.envelope.reset()
        levels_db = 10 * np.log10(np.maximum(power / power.max(), QUIET))
        high, low = np.percentile(levels_db, [95, 10])
        energy = np.square(samples, dtype=np.float64)
        return {
            "log_attack_time": self.attack(self.envelope(samples))[0],
            "level_range": float(high - low),
            "temporal_centroid": float(energy @ np.arange(len(samples)) / energy.sum() / RATE_HZ),
        }


def mean_rows(rows: list[list[float]], width: int) -> np.ndarray:
    """Mean of rows, (width,) float64; NaN where there are none."""
    return np.asarray(rows, np.float64).mean(axis=0) if rows else np.full(width, np.nan)


def odd_to_even_db(odd: float, even: float) -> float:
    """Energy of the odd harmonics, of which the fundamental is the first, over that of the even ones, in dB.

    Essentia's OddToEvenHarmonicEnergyRatio counts the fundamental as even.
    """
    if odd + even == 0:
        return np.nan
    with np.errstate(divide="ignore"):
        return float(np.clip(10 * (np.log10(odd) - np.log10(even)), -BOUND_DB, BOUND_DB))


def main(sounds: str, first: str, last: str, features: str) -> None:
    """Write the features of a part of a set, (last - first, F) float64.

    Args:
        sounds: .npy, (N, T) int16.
        first, last: rows, the last not included.
        features: .npy to write.
    """
    extract = Extractor()
    part = np.load(sounds, mmap_mode="r")[int(first) : int(last)]
    np.save(features, np.array([extract(sound / np.float32(FULL_SCALE)) for sound in part]).reshape(len(part), len(UNITS)))


if __name__ == "__main__":
    main(*sys.argv[1:])
