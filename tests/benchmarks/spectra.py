"""Speed of the features of sounds."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from doppelgangers.analysis import spectral
from doppelgangers.analysis.features import measure_features
from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds

CLIPS = 256
TIMES = 4  # as many for the stage, whose processes take a second to start
PROCESSES = 2


def features(repeats: int) -> None:
    """Our features, by one extractor and by the stage with its processes, and plain calls of Essentia's algorithms."""
    sounds = made_sounds()
    plain = speed_of(lambda: [plain_calls(plain_algorithms(), sound) for sound in sounds])
    extract = spectral.Extractor()
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "sounds.npy"), np.round(np.tile(sounds, (TIMES, 1)) * spectral.FULL_SCALE).astype(np.int16))
        stage = functools.partial(
            measure_features, Path(folder, "features.csv"), sounds=Path(folder, "sounds.npy"), processes=PROCESSES
        )
        rows = [
            ["one extractor", *in_turn(speed_of(lambda: [extract(sound) for sound in sounds]), plain, repeats)],
            [f"stage, {PROCESSES} processes", *in_turn(speed_of(stage, PROCESSES / TIMES), plain, repeats)],
        ]
    title = f"features: clips of 1 s per second and core, {CLIPS} clips, {TIMES * CLIPS} by the stage"
    print_table(title, ("", "ours", "plain Essentia", *COMPARED), rows)


def speed_of(work: Callable[[], object], processes: float = 1) -> Callable[[], float]:
    """A function that does the work once and returns its clips per second and core; `processes` for each CLIPS."""
    return lambda: CLIPS / seconds(work) / processes


def made_sounds() -> np.ndarray:
    """Harmonics in noise that decay, (CLIPS, 16000) float32 with a peak of 1."""
    rng, time = np.random.default_rng(0), np.arange(spectral.RATE_HZ) / spectral.RATE_HZ
    pitches = rng.uniform(80, 1000, (CLIPS, 1))
    sounds = sum(np.sin(2 * np.pi * k * pitches * time) / k for k in range(1, 8)) + rng.normal(0, 0.3, (CLIPS, len(time)))
    sounds *= np.exp(-time * rng.uniform(0, 5, (CLIPS, 1)))
    return (sounds / np.abs(sounds).max(axis=1, keepdims=True)).astype(np.float32)


@functools.cache
def plain_algorithms() -> dict[str, Callable]:
    """The algorithms that a script would make once."""
    es, rate = spectral.standard, {"sampleRate": 16000}
    return {
        "window": es.Windowing(type="hann", size=1024),
        "spectrum": es.Spectrum(size=1024),
        "peaks": es.SpectralPeaks(minFrequency=20, maxFrequency=8000, maxPeaks=60, **rate),
        "pitch": es.PitchYinFFT(frameSize=1024, maxFrequency=8000, **rate),
        "harmonics": es.HarmonicPeaks(),
        "inharmonicity": es.Inharmonicity(),
        "dissonance": es.Dissonance(),
        "envelope": es.Envelope(**rate),
        "attack": es.LogAttackTime(**rate),
        "dynamics": es.DynamicComplexity(**rate),
        "crossings": es.ZeroCrossingRate(),
        "flux": es.Flux(),
        "complexity": es.SpectralComplexity(**rate),
        "centroid": es.Centroid(range=8000),
        "rolloff": es.RollOff(**rate),
        "flatness": es.Flatness(),
        "entropy": es.Entropy(),
        "contrast": es.SpectralContrast(frameSize=1024, highFrequencyBound=7900, **rate),
        "salience": es.PitchSalience(**rate),
        "mfcc": es.MFCC(inputSize=513, highFrequencyBound=7900, **rate),
    }


def plain_calls(algorithms: dict[str, Callable], sound: np.ndarray) -> list[float]:
    """The same features as a script with Essentia's tutorial open has them: all of every frame, and means."""
    of_spectrum = [
        algorithms[name] for name in ("flux", "complexity", "centroid", "rolloff", "flatness", "entropy", "salience")
    ]
    rows = []
    for frame in spectral.standard.FrameGenerator(sound, frameSize=1024, hopSize=512, startFromZero=True):
        spectrum = algorithms["spectrum"](algorithms["window"](frame))
        frequencies, magnitudes = algorithms["peaks"](spectrum)
        pitch_hz, confidence = algorithms["pitch"](spectrum)
        row = [confidence, algorithms["crossings"](frame), algorithms["contrast"](spectrum)[0].mean(), 0.0, 0.0]
        if len(frequencies):
            harmonics = algorithms["harmonics"](frequencies, magnitudes, pitch_hz)
            row[-2:] = [algorithms["inharmonicity"](*harmonics), algorithms["dissonance"](frequencies, magnitudes)]
        rows.append([*row, *(algorithm(spectrum) for algorithm in of_spectrum), *algorithms["mfcc"](spectrum)[1]])
    return [*np.mean(rows, axis=0), algorithms["attack"](algorithms["envelope"](sound))[0], algorithms["dynamics"](sound)[0]]
