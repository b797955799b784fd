"""Where training gets its pairs: synthesized at each step, read from a store, or cut out of recordings."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from doppelgangers.datasets.clips import in_order
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError
from doppelgangers.pretraining.crops import RecordingPairs
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.store import PairStore


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Pairs that are addressed by number.

    Attributes:
        samples: length of a sound, T.
        order: step -> numbers of the pairs of that step (N,).
        read: numbers (N,) -> sounds of both views (N, 2, T) float32.
    """

    samples: int
    order: Callable[[int], np.ndarray]
    read: Callable[[np.ndarray], torch.Tensor]


class Source(Protocol):
    """What pairs come from; a plain value, which other processes can receive and open themselves."""

    def open(self, batch_pairs: int, seed: int) -> Pairs:
        """The pairs, in batches of `batch_pairs`; the seed chooses streamed pairs, the order of stored ones, and crops."""


@dataclasses.dataclass(frozen=True)
class Stream:
    """Pairs of a recipe that are synthesized at each step: numbers in order, each once; each seed has pairs of its own.

    Seeds that changed only the initial weights would hide the spread that comes from the pairs.
    """

    recipe: PairRecipe

    def open(self, batch_pairs: int, seed: int) -> Pairs:
        pairs = PairGenerator(self.recipe, sequence=seed)
        # DLPack: torch takes the sounds where JAX made them, on a GPU too, without a copy.
        return Pairs(pairs.synth.samples, ascending(batch_pairs), lambda numbers: torch.from_dlpack(pairs.render(numbers)))


@dataclasses.dataclass(frozen=True)
class Store:
    """Pairs of the `PairStore` at `manifest`, in a new random order every epoch; an incomplete last batch is left out.

    Attributes:
        selected: csv whose column `pair` has the numbers of those that are used; None: all.
    """

    manifest: Path
    selected: Path | None = None

    def open(self, batch_pairs: int, seed: int) -> Pairs:
        pairs = PairStore(self.manifest)
        used = np.arange(len(pairs)) if self.selected is None else read_selected(self.selected, len(pairs), batch_pairs)
        per_epoch = len(used) // batch_pairs

        def order(step: int) -> np.ndarray:
            epoch, position = divmod(step, per_epoch)
            numbers = np.random.default_rng([seed, epoch]).permutation(used)
            return numbers[position * batch_pairs : (position + 1) * batch_pairs]

        return Pairs(pairs.manifest["samples"], order, lambda numbers: torch.from_numpy(pairs.read(numbers)))


def read_selected(selected: Path, stored: int, batch_pairs: int) -> np.ndarray:
    """Numbers of the pairs that are used of a store.

    Raises:
        UserError: when one is not in the store, or they are too few for a batch.
    """
    numbers = np.loadtxt(selected, np.int64, delimiter=",", skiprows=1, usecols=0, ndmin=1)
    if len(numbers) < batch_pairs:
        raise UserError(
            f"{selected} has {len(numbers)} pairs, fewer than a batch ({batch_pairs}): raise pairs.count or the share, or lower "
            "pretrain.batch_pairs"
        )
    if numbers.min() < 0 or numbers.max() >= stored:
        raise UserError(f"{selected} has pair {numbers.max()} of a store of {stored}: delete it, so that it is made again")
    return numbers


@dataclasses.dataclass(frozen=True)
class Recordings:
    """Pairs that are cut out of decoded recordings, as `crops.RecordingPairs` does it.

    Attributes:
        manifest: recordings.csv of `recordings.decode_recordings`.
        duration_s: length of a view.
        views: "crop", both views are the same random crop, or "jitter", two random crops of one recording.
        layers: how many parts of a recording are mixed into a view; 1 for a crop without mixing.
    """

    manifest: Path
    duration_s: float
    views: str
    layers: int

    def open(self, batch_pairs: int, seed: int) -> Pairs:
        samples, layers = round(self.duration_s * RATE_HZ), self.layers if self.layers > 1 else 0
        pairs = RecordingPairs(self.manifest, seed=seed, samples=samples, views=self.views, layers=layers)
        return Pairs(samples, ascending(batch_pairs), lambda numbers: torch.from_numpy(pairs.read(numbers)))


def ascending(batch_pairs: int) -> Callable[[int], np.ndarray]:
    """An order of pairs: all numbers from 0, each once."""
    return lambda step: np.arange(step * batch_pairs, (step + 1) * batch_pairs)


def batches(
    pairs: Pairs, steps: range, device: torch.device, rank: int = 0, ranks: int = 1
) -> Iterator[tuple[torch.Tensor, float]]:
    """Yield (sounds of this rank's part of the batch (N, 2, T), seconds that it took to make them) for each step.

    A thread makes the next batch while the caller works on this one. Sounds that are not on a GPU yet come in pinned memory
    where they have to go there, so that they can be copied without making the program wait.
    """

    def make(step: int) -> tuple[torch.Tensor, float]:
        begun = time.perf_counter()
        sounds = pairs.read(np.array_split(pairs.order(step), ranks)[rank])
        if device.type == "cuda" and not sounds.is_cuda:
            sounds = sounds.pin_memory()
        return sounds, time.perf_counter() - begun

    with ThreadPoolExecutor(1) as pool:
        for _, made in in_order(pool, make, steps, ahead=1):
            yield made.result()
