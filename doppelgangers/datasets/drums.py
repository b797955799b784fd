"""Percussion sounds of a SoundFont's drum kits; each fold is a kit."""

from typing import Any

import numpy as np
import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips
from doppelgangers.datasets.soundfont import DRUM_BANK, RATE_HZ, SoundFont

KEYS = range(35, 82)  # General MIDI percussion: 47 sounds, acoustic bass drum to open triangle
KITS = (0, 8, 16, 24, 25, 40, 48)  # the jazz kit (32) of TimGM6mb.sf2 is an exact copy of its standard kit (0)
VELOCITIES = (60, 90, 120)
HOLD_S, DURATION_S = 0.9, 1.0


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is the key, the fold is the kit."""
    font = SoundFont(tree.paths[0] if tree.paths else None)
    rows = [
        {
            "clip": f"kit{kit:03d}_key{key:03d}_velocity{velocity:03d}",
            "fold": fold,
            "key": key,
            "kit": kit,
            "velocity": velocity,
        }
        for fold, kit in enumerate((kit for kit in KITS if font.has(kit, DRUM_BANK)), start=1)
        for key in KEYS
        for velocity in VELOCITIES
    ]

    def read(clip: Any) -> tuple[np.ndarray, int] | None:
        note = font.play(clip.kit, clip.key, clip.velocity, HOLD_S, DURATION_S, bank=DRUM_BANK)
        return (note, RATE_HZ) if note.any() else None

    return Clips(pd.DataFrame(rows), read)
