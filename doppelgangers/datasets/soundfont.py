"""Notes of a SoundFont, played at 16 kHz."""

import importlib.metadata
import threading
from pathlib import Path

import numpy as np
import tinysoundfont

from doppelgangers.errors import UserError

RATE_HZ = 16000
DRUM_BANK = 128
QUIET = 1e-4  # a peak below this (-80 dB) means that the instrument does not have the key


def packaged_soundfont() -> Path:
    """TimGM6mb.sf2, the General MIDI SoundFont in the pretty_midi wheel."""
    return Path(str(importlib.metadata.distribution("pretty_midi").locate_file("pretty_midi/TimGM6mb.sf2")))


class SoundFont:
    """Plays single notes.

    Args:
        path: an .sf2 file; None for the packaged one.

    Raises:
        UserError: when the file is no SoundFont.
    """

    def __init__(self, path: Path | None):
        path = path or packaged_soundfont()
        self.lock = threading.Lock()  # a synthesizer plays one note at a time
        self.synth = tinysoundfont.Synth(samplerate=RATE_HZ)
        try:
            self.font = self.synth.sfload(str(path))
        except (tinysoundfont.SoundFontException, RuntimeError) as error:
            raise UserError(f"{path} cannot be read as a SoundFont: {error}") from error

    def has(self, program: int, bank: int = 0) -> bool:
        """Whether the SoundFont has this instrument."""
        return bool(self.synth.sfpreset_name(self.font, bank, program))

    def name(self, program: int, bank: int = 0) -> str:
        """What the SoundFont calls an instrument."""
        return str(self.synth.sfpreset_name(self.font, bank, program)).strip()

    def play(self, program: int, key: int, velocity: int, hold_s: float, duration_s: float, bank: int = 0) -> np.ndarray:
        """One note, held for `hold_s` and recorded for `duration_s`: mono float32 (T,).

        It is scaled to a peak of velocity / 127, because the levels of a SoundFont's instruments differ by more than 40 dB.
        It is all zeros when the instrument does not have the key.
        """
        with self.lock:
            self.synth.sounds_off(0)
            self.synth.generate(RATE_HZ // 20)  # let the last note die away
            self.synth.program_select(0, self.font, bank, program, bank == DRUM_BANK)
            self.synth.noteon(0, key, velocity)
            held = self.record(hold_s)
            self.synth.noteoff(0, key)
            note = np.concatenate([held, self.record(duration_s - hold_s)])
        peak = np.abs(note).max()
        return note * (velocity / 127 / peak) if peak > QUIET else np.zeros_like(note)

    def record(self, duration_s: float) -> np.ndarray:
        """Let the synthesizer play on: the next `duration_s`, mixed down to mono float32 (T,)."""
        stereo = np.frombuffer(self.synth.generate(round(duration_s * RATE_HZ)), dtype=np.float32)
        return stereo.reshape(-1, 2).mean(axis=1)
