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

    Pair i is of epoch i // len(self); in an epoch every recording comes once, in a random order. The pair at (seed, index)
    is the same whatever else is read with it: order and places are drawn for whole epochs, by (seed, epoch).

    Args:
        manifest: recordings.csv, beside its shards (`recordings.decode_recordings`).
        seed: which sequence of pairs.
        samples: T, length of a view; a shorter recording is padded with silence at its end.
        views: "crop" for one random part of a recording as both views, "jitter" for two, drawn independently.
        layers: 0, or of how many parts both views are a mixture: the recording is cut into whole parts of T samples, so many
            are drawn without replacement (all of them, where there are fewer), summed, and divided by the sum's peak. It
            takes the place of a random part, so it goes with "crop" only.

    Raises:
        UserError: when the manifest or a shard is missing or damaged, or layers are asked for with "jitter".
    """

    def __init__(self, manifest: Path, seed: int, samples: int, views: str = "crop", layers: int = 0):
        if views not in VIEWS:
            raise UserError(f"views must be one of {', '.join(VIEWS)}, not {views!r}")
        if layers and views == "jitter":
            raise UserError("layers mix parts of a recording into one sound, of which jitter has no two; set one of them")
        self.seed, self.samples, self.layers = seed, samples, layers
        self.draws = layers or VIEWS.index(views) + 1  # places drawn for each pair
        table = read_manifest(manifest)
        self.start, self.length = table["start"].to_numpy(), table["samples"].to_numpy()
        self.shard, files = pd.factorize(table["shard"])
        sizes = table.groupby("shard")["samples"].sum()
        self.shards = [open_shard(Path(manifest).with_name(file), sizes[file]) for file in files]
        self.epoch = functools.lru_cache(2)(self._draw)  # a batch may reach into the next one

    def __len__(self) -> int:
        """Recordings: pairs of an epoch."""
        return len(self.length)

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Which recordings come, (len(self),), and where each is cut, (len(self), draws), in samples from its start.

        Where a recording has fewer parts than layers, places beyond its parts are -1.
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
            order, cuts = self.epoch(epoch)
            within = epochs == epoch
            recordings[within], places[within] = order[positions[within]], cuts[positions[within]]
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
    """Different numbers below `sizes` for each row, all choices alike likely.

    Args:
        uniform: (N, K) in [0, 1).
        sizes: (N, 1).

    Returns:
        (N, K) integers; -1 where no number is left.
    """
    drawn = np.empty(uniform.shape, np.int64)
    for k in range(uniform.shape[1]):
        number = (uniform[:, k] * (sizes[:, 0] - k)).astype(np.int64)  # among those that are left ...
        for taken in np.sort(drawn[:, :k], axis=1).T:
            number += number >= taken  # ... which are numbered past the taken ones
        drawn[:, k] = number
    return np.where(np.arange(uniform.shape[1]) < sizes, drawn, -1)


def copy(cut: np.ndarray, view: np.ndarray) -> None:
    """Write 16-bit sound (t,) to a float view (T,), t <= T, with silence after it."""
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
        UserError: when it is missing, empty, or no such table.
    """
    columns = {"shard": str, "start": np.int64, "samples": np.int64}
    try:
        table = pd.read_csv(path, usecols=list(columns), dtype=columns, encoding_errors="surrogateescape")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); delete it and run again to make it anew") from error
    if table.empty:
        raise UserError(f"{path} lists no recording; delete it and run again to make it anew")
    return table


def open_shard(path: Path, samples: int) -> np.ndarray:
    """Map a shard of 16-bit sound that must have so many samples.

    Raises:
        UserError: when it is missing or has another length.
    """
    anew = f"delete {path.with_name('recordings.csv')} and run again to make it anew"
    try:
        shard = np.asarray(np.memmap(path, "<i2", "r"))  # slices of a plain array are made faster than of a memmap
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); {anew}") from error
    if len(shard) != samples:
        raise UserError(f"{path} has {len(shard)} samples and not {samples}; {anew}")
    return shard
