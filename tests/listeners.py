"""Listening tests of very short sounds, and simulated listeners who take them in a browser."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from doppelgangers.analysis import stimuli
from doppelgangers.analysis.listening_test import write_listening_test
from doppelgangers.analysis.sounds import Sound, write_sounds
from doppelgangers.files import read_json

RATE_HZ = 16000
DURATION_S = 0.03
DELTAS = ("0.05", "0.25", "0.5")


def write_sets(folder: Path, deltas=DELTAS, pairs=14, duration_s=DURATION_S, seed=0) -> list[Path]:
    """Sets of pairs of noises, each with a spectrum and level of its own."""
    rng = np.random.default_rng(seed)
    folders = [folder / f"voice-{delta}" for delta in deltas]
    for delta, place in zip(deltas, folders, strict=True):
        sounds = [[Sound(str(row), view, noise(rng, duration_s), 0.0, duration_s) for view in "ab"] for row in range(pairs)]
        facts = {"kind": "synthetic", "architecture": "voice", "delta": delta}
        write_sounds(place, sounds, name=place.name, facts=facts, duration_s=duration_s)
    return folders


def noise(rng: np.random.Generator, duration_s: float) -> np.ndarray:
    size = round(duration_s * RATE_HZ)
    slope = np.linspace(1, rng.uniform(0.01, 3), size // 2 + 1)
    sound = np.fft.irfft(slope * np.fft.rfft(rng.standard_normal(size)), size)
    return (sound / np.abs(sound).max()).astype(np.float32)


def write_page(folder: Path, monkeypatch, pairs=2, **options) -> tuple[Path, dict]:
    """A page whose tones and noise are short too, and its key."""
    monkeypatch.setattr(stimuli, "TONE_S", 0.03)
    monkeypatch.setattr(stimuli, "NOISE_S", 0.1)
    page, key = folder / "listening_test.html", folder / "listening_test.json"
    write_listening_test(page, key, sets=write_sets(folder / "sounds", **options), pairs=pairs)
    return page, read_json(key)


def write_similarity(path: Path, architecture: str = "voice") -> Path:
    """Similarities as two taggers might have them."""
    rows = ["tagger,architecture,delta,pairs,cosine,cosine_low,cosine_high,centred,centred_low,centred_high"]
    for tagger, most in (("aisfx", 0.9), ("mn04", 0.8)):
        rows += [f"{tagger},{architecture},{delta},14,0,0,0,{most - 0.4 * row},0,0" for row, delta in enumerate(DELTAS)]
    path.write_text("\n".join(rows) + "\n")
    return path


class Listener:
    """Takes a test in a page of Playwright, with the mouse or with keys only."""

    def __init__(self, page, rate: Callable[[str], int], keyboard: bool = False):
        self.page, self.rate, self.keyboard = page, rate, keyboard
        self.heard: dict[str, list[str]] = {}  # trial -> the sounds that were A and B

    def press(self, name: str, key: str | None = None) -> None:
        """Click a button, or press a key; without one, reach the button with the tabulator and press Enter."""
        button = self.page.get_by_role("button", name=name, exact=True)
        if not self.keyboard:
            button.click()
        elif key:
            self.page.keyboard.press(key)
        else:
            for _ in range(20):
                if button.evaluate("button => button === document.activeElement"):
                    return self.page.keyboard.press("Enter")
                self.page.keyboard.press("Tab")
            raise AssertionError(f"the tabulator does not reach {name}")

    def begin(self, rater: str) -> None:
        """From the welcome to the first pair for practice."""
        self.start(rater)
        self.press("Play the noise")
        self.press("The volume is set")
        for _ in range(6):
            self.press("Play the three tones")
            self.page.locator("#quietest:enabled").wait_for()
            self.press(("first", "second", "third")[self.quietest()])
        self.press("Begin the practice")

    def start(self, rater: str) -> None:
        self.page.get_by_label("Code").fill(rater)
        box = self.page.get_by_role("checkbox")
        if self.keyboard:
            box.focus()
            self.page.keyboard.press("Space")
        else:
            box.check()
        self.press("Start")

    def quietest(self) -> int:
        state = self.state()
        return state["rounds"][len(state["headphones"])].index("quiet")

    def state(self) -> dict:
        """What the page keeps, so that the listener can look up which trial it is."""
        return json.loads(self.page.evaluate("localStorage.getItem(localStorage.key(0))"))

    def answer(self) -> None:
        """Listen to both sounds of a pair and rate it."""
        state = self.state()
        trial = state[state["step"]][state["index"]]["id"]
        rating, self.heard[trial] = self.rate(trial), []
        for side in "AB":
            self.press(f"Sound {side}", side.lower())
            self.page.locator(f".side.heard:has-text('Sound {side}')").wait_for()
            played = "Object.keys(content.sounds).find((id) => content.sounds[id] === audio.src)"
            self.heard[trial].append(self.page.evaluate(played))
        if self.keyboard:
            self.page.keyboard.press(str(rating))
        else:
            self.page.locator(f"[name=rating][value='{rating}']").check()
        self.press("Next", "Enter")

    def take(self, rater: str) -> None:
        """The whole test."""
        self.begin(rater)
        while (step := self.state()["step"]) != "end":
            self.press("Begin the test") if step == "before-trials" else self.answer()

    def hand_in(self, folder: Path, kind: str = "CSV") -> Path:
        """Save the answers as a file."""
        folder.mkdir(exist_ok=True)
        with self.page.expect_download() as download:
            self.press(f"Save as {kind}")
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path
