"""Speed of the taggers of sounds."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from doppelgangers.analysis.taggers.load import load_tagger
from doppelgangers.analysis.taggers.tagger import Tagger
from tests.benchmarks.measure import alone, print_table, seconds

SOUNDS = 64
WEIGHTS = Path(os.environ.get("EFFICIENTAT_WEIGHTS", ""), "mn04_as_mAP_432.pt")


def taggers(repeats: int) -> None:
    """Each tagger whose weights are here, with the sounds that it takes at once."""
    sounds = np.random.default_rng(0).uniform(-1, 1, (SOUNDS, 16000)).astype(np.float32)
    weights = {"aisfx": "", **({"mn04": str(WEIGHTS)} if WEIGHTS.is_file() else {})}
    rows = [[name, alone(speed_of(load_tagger(name, file), sounds), repeats)] for name, file in weights.items()]
    print_table(f"taggers: clips of 1 s per second, {SOUNDS} clips", ("", "ours"), rows)


def speed_of(tagger: Tagger, sounds: np.ndarray) -> Callable[[], float]:
    """A function that tags the sounds once and returns how many it tagged in a second."""
    parts = np.array_split(sounds, len(sounds) // tagger.batch_sounds)
    return lambda: len(sounds) / seconds(lambda: [tagger.tag(part) for part in parts])
