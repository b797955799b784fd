"""Notes of a SoundFont's instruments, in the manner of NSynth: pitch, family and instrument.

Folds hold out instruments; for the instrument itself, keys.
"""

from typing import Any

import numpy as np
import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips
from doppelgangers.datasets.soundfont import RATE_HZ, SoundFont

KEYS = np.arange(21, 109)  # the 88 keys of HEAR's NSynth Pitch
PER_PROGRAM = 28  # keys drawn for each of the 128 programs
# Keys of a major third are in one fold, every fourth third in the same: a single key would be a semitone from a note that was
# trained on, often of the same sample; with wider blocks some instrument has no note in some fold.
KEY_BLOCK, KEY_FOLDS = 4, 4
HOLD_S, DURATION_S = 1.5, 2.0
FIRST_UNPITCHED = 112  # from here on, General MIDI has percussive instruments and sound effects
FAMILIES = [
    *("piano", "chromatic_percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass"),
    *("reed", "pipe", "synth_lead", "synth_pad", "synth_effects", "ethnic", "percussive", "sound_effects"),
]


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`.

    The 128 General MIDI programs form 16 families of 8. The fold is the program's place in its family, so every fold has
    one instrument of each family, which is in no other fold. `key_fold` holds out keys instead, and each of these folds has
    notes of every instrument. Programs from 112 on have no label `pitch` and no label `instrument`.
    """
    font = SoundFont(tree.paths[0] if tree.paths else None)
    rng = np.random.default_rng(0)
    rows = []
    for program in range(128):
        keys, velocities = rng.permutation(KEYS)[:PER_PROGRAM], rng.integers(50, 128, PER_PROGRAM)
        if not font.has(program):
            continue
        for key, velocity in sorted(zip(keys.tolist(), velocities.tolist(), strict=True)):
            rows.append(
                {
                    "clip": f"program{program:03d}_key{key:03d}",
                    "fold": program % 8 + 1,
                    "key_fold": (key - int(KEYS[0])) // KEY_BLOCK % KEY_FOLDS + 1,
                    "pitch": key if program < FIRST_UNPITCHED else None,
                    "instrument": f"{program:03d} {font.name(program)}" if program < FIRST_UNPITCHED else None,
                    "family": FAMILIES[program // 8],
                    "program": program,
                    "key": key,
                    "velocity": velocity,
                }
            )

    def read(clip: Any) -> tuple[np.ndarray, int] | None:
        note = font.play(clip.program, clip.key, clip.velocity, HOLD_S, DURATION_S)
        return (note, RATE_HZ) if note.any() else None

    return Clips(pd.DataFrame(rows).astype({"pitch": "Int64"}), read)
