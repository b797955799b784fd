"""Where training gets its pairs: fresh from the synthesizer, from a store of them, or cut out of recordings."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from doppelgangers.encoders.frontend import RATE_HZ
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


def open_pairs(kind: str, batch: int, seed: int, **of) -> Pairs:
    """Open a source.

    Args:
        kind: a name of `SOURCES`.
        batch: pairs per step.
        seed: of the order of stored pairs, and of the crops of recordings.
        of: what that source asks for.
    """
    return SOURCES[kind](batch, seed, **of)


def stream(batch: int, seed: int, *, recipe: PairRecipe) -> Pairs:
    """Synthesized at each step: numbers in order, each once, whatever the training's seed."""
    pairs = PairGenerator(recipe)
    # DLPack: torch takes the sounds where JAX made them, on a GPU too, without a copy.
    return Pairs(pairs.synth.samples, in_order(batch), lambda indices: torch.from_dlpack(pairs.render(indices)))


def store(batch: int, seed: int, *, manifest: str) -> Pairs:
    """Read from a `PairStore`, in a new random order every epoch; an incomplete last batch is left out."""
    pairs = PairStore(manifest)
    per_epoch = len(pairs) // batch

    def order(step: int) -> np.ndarray:
        epoch, position = divmod(step, per_epoch)
        numbers = np.random.default_rng([seed, epoch]).permutation(len(pairs))
        return numbers[position * batch : (position + 1) * batch]

    return Pairs(pairs.manifest["samples"], order, lambda indices: torch.from_numpy(pairs.read(indices)))


def recordings(batch: int, seed: int, *, manifest: str, duration_s: float, views: str, layers: int) -> Pairs:
    """Cut out of recordings: see `crops.RecordingPairs`."""
    samples = round(duration_s * RATE_HZ)
    pairs = RecordingPairs(manifest, seed, samples, views, layers if layers > 1 else 0)
    return Pairs(samples, in_order(batch), lambda indices: torch.from_numpy(pairs.read(indices)))


SOURCES = {"stream": stream, "store": store, "recordings": recordings}


def in_order(batch: int) -> Callable[[int], np.ndarray]:
    """Numbers from 0 on, each once."""
    return lambda step: np.arange(step * batch, (step + 1) * batch)


def batches(
    pairs: Pairs, steps: range, device: torch.device, rank: int = 0, ranks: int = 1
) -> Iterator[tuple[torch.Tensor, float]]:
    """Yield (sounds of this rank's part of the batch (N, 2, T), seconds that it took to make them) for each step.

    The next batch is made by a thread while the caller works on this one. What is not on a GPU yet comes in memory from
    which the GPU takes it without being waited for.
    """

    def make(step: int) -> tuple[torch.Tensor, float]:
        begun = time.perf_counter()
        sounds = pairs.read(np.array_split(pairs.order(step), ranks)[rank])
        if device.type == "cuda" and not sounds.is_cuda:
            sounds = sounds.pin_memory()
        return sounds, time.perf_counter() - begun

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make, steps.start) if steps else None
        for step in steps:
            sounds = waiting.result()
            if step + 1 < steps.stop:
                waiting = pool.submit(make, step + 1)
            yield sounds
