"""Pairs of views of real recordings, addressed by (seed, index)."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from doppelgangers.errors import UserError
from doppelgangers.synthesis.store import PCM_SCALE

PEAK_OFFSET = 1e-6  # added to a mixture's peak before it is divided by that (the authors')
VIEWS = ("crop", "jitter")


class RecordingPairs:
    """Pairs cut from decoded recordings, read from disk as they are asked for.

    Pair i belongs to epoch i // len(self). In an epoch every recording is used once, in a random order. The pair at
    (seed, index) is the same whatever else is read with it: order and places are drawn for whole epochs, by (seed, epoch).

    Args:
        manifest: recordings.csv of `recordings.decode_recordings`, beside its shards.
        seed: chooses the sequence of pairs.
        samples: length of a view, T; a shorter recording is padded with silence at its end.
        views: "crop", both views are the same random part of a recording, or "jitter", two parts, drawn independently.
        layers: 0 for no mixture. Otherwise both views are the same mixture: the recording is divided into whole parts of T
            samples, this many of them are drawn without replacement (all of them, where there are fewer) and summed, and
            the sum is divided by its peak. This replaces the random part, so it is possible with "crop" only.

    Raises:
        UserError: when the manifest or a shard is missing or damaged, or layers are combined with "jitter".
    """

    def __init__(self, manifest: Path, *, seed: int, samples: int, views: str = "crop", layers: int = 0):
        if views not in VIEWS:
            raise UserError(f"views must be one of {', '.join(VIEWS)}, not {views!r}")
        if layers and views == "jitter":
            raise UserError(
                "layers makes one mixture for both views, jitter needs two different ones: set layers to 1, or views to crop"
            )
        self.seed, self.samples, self.layers = seed, samples, layers
        self.draws = layers or VIEWS.index(views) + 1  # number of places that are drawn for each pair
        table = read_manifest(manifest)
        self.start, self.length = table["start"].to_numpy(), table["samples"].to_numpy()
        self.shard, files = pd.factorize(table["shard"])
        sizes = table.groupby("shard")["samples"].sum()
        self.shards = [open_shard(manifest.with_name(file), sizes[file]) for file in files]
        self.epoch = functools.lru_cache(2)(self._draw)  # a batch may extend into the next epoch

    def __len__(self) -> int:
        """Number of recordings, which is the number of pairs of an epoch."""
        return len(self.length)

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The recordings of an epoch, (len(self),), and where each is cut, in samples from its start, (len(self), draws).

        Where a recording has fewer parts than there are layers, the remaining places are -1.
        """
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self))
        uniform, length = random.random((len(self), self.draws)), self.length[order, None]
        if not self.layers:
            return order, (uniform * (np.maximum(length - self.samples, 0) + 1)).astype(np.int64)
        parts = draw_without_replacement(uniform, np.maximum(length // self.samples, 1))
        return order, np.where(parts < 0, -1, parts * self.samples)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Sounds of both views of the pairs at `indices`, (N, 2, T) float32 in [-1, 1]."""
        epochs, positions = np.divmod(np.asarray(indices, np.int64), len(self))
        recordings, places = np.empty(len(epochs), np.int64), np.empty((len(epochs), self.draws), np.int64)
        for epoch in np.unique(epochs).tolist():
            order, drawn = self.epoch(epoch)
            within = epochs == epoch
            recordings[within], places[within] = order[positions[within]], drawn[positions[within]]
        starts = self.start[recordings, None] + places
        sizes = np.where(places < 0, 0, np.minimum(self.length[recordings, None] - places, self.samples))
        pairs = np.empty((len(recordings), 2, self.samples), np.float32)
        rows = zip(pairs, self.shard[recordings].tolist(), starts.tolist(), sizes.tolist(), strict=True)
        for views, shard, begins, lengths in rows:
            cuts = [self.shards[shard][begin : begin + size] for begin, size in zip(begins, lengths, strict=True)]
            if self.layers:
                mix(cuts, views[0])
            else:
                for cut, view in zip(cuts, views, strict=False):
                    copy(cut, view)
            if self.layers or self.draws == 1:
                views[1] = views[0]
        return pairs


def draw_without_replacement(uniform: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Different numbers below `sizes` for each row, all choices equally likely.

    Args:
        uniform: (N, K) in [0, 1).
        sizes: (N, 1).

    Returns:
        (N, K) integers; -1 where no number is left.
    """
    drawn = np.empty(uniform.shape, np.int64)
    for k in range(uniform.shape[1]):
        number = (uniform[:, k] * (sizes[:, 0] - k)).astype(np.int64)  # its rank among the numbers that are left ...
        for taken in np.sort(drawn[:, :k], axis=1).T:
            number += number >= taken  # ... which becomes the number itself by skipping the taken ones
        drawn[:, k] = number
    return np.where(np.arange(uniform.shape[1]) < sizes, drawn, -1)


def copy(cut: np.ndarray, view: np.ndarray) -> None:
    """Write a 16-bit sound (t,), t <= T, to a float view (T,), followed by silence."""
    view[: len(cut)] = cut
    view[: len(cut)] /= PCM_SCALE
    view[len(cut) :] = 0


def mix(cuts: list[np.ndarray], view: np.ndarray) -> None:
    """Write the sum of 16-bit sounds (t,), divided by its peak, to a float view (T,)."""
    view[:] = 0
    for cut in cuts:
        view[: len(cut)] += cut
    view /= max(view.max(), -view.min()) + PEAK_OFFSET * PCM_SCALE


def read_manifest(path: Path) -> pd.DataFrame:
    """The rows of recordings.csv.

    Raises:
        UserError: when it is missing, empty, or not such a table.
    """
    columns = {"shard": str, "start": np.int64, "samples": np.int64}
    try:
        table = pd.read_csv(path, usecols=list(columns), dtype=columns, encoding_errors="surrogateescape")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); delete it and run again to restore it") from error
    if table.empty:
        raise UserError(f"{path} lists no recording; delete it and run again to restore it")
    return table


def open_shard(path: Path, samples: int) -> np.ndarray:
    """Map a shard of 16-bit sound into memory.

    Args:
        path: of the shard.
        samples: that it must have.

    Raises:
        UserError: when it is missing or has another length.
    """
    remedy = f"delete {path.with_name('recordings.csv')} and run again to restore it"
    try:
        shard = np.asarray(np.memmap(path, "<i2", "r"))  # slicing a plain array is faster than slicing a memmap
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); {remedy}") from error
    if len(shard) != samples:
        raise UserError(f"{path} has {len(shard)} samples and not {samples}; {remedy}")
    return shard
