"""When a training saves its state: every so often, and when its process is told to end."""

import contextlib
import logging
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from doppelgangers.encoders.checkpoint import save_state

AFFECTS_RESULTS = False  # a training ends with the same weights wherever it was saved

log = logging.getLogger(__name__)


class Saver:
    """Writes the side checkpoint of a training.

    Args:
        path: of the checkpoint.
        settings: that it belongs to.
        every_s: seconds between two of them.
    """

    def __init__(self, path: Path, settings: dict, every_s: float):
        self.path, self.settings, self.every_s = path, settings, every_s
        self.saved = time.monotonic()
        self.told_to_end = False

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self.saved > self.every_s

    def save(self, state: dict) -> None:
        """Write a state, which names its `step`."""
        save_state(self.path, state, self.settings)
        self.saved = time.monotonic()

    def end(self, step: int) -> None:
        """End this process, which was told to, after its step was saved.

        Raises:
            SystemExit: always.
        """
        log.warning("told to end: saved step %d, from which the next run continues", step)
        raise SystemExit(128 + signal.SIGTERM)

    @contextlib.contextmanager
    def wait_for_sigterm(self) -> Iterator[None]:
        """In this context SIGTERM, which clusters send before they kill a job, sets `told_to_end`."""

        def note(number, frame) -> None:
            self.told_to_end = True

        try:
            before = signal.signal(signal.SIGTERM, note)
        except ValueError:  # only the main thread receives signals
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
