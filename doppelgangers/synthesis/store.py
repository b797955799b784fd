"""A store of pairs on disk: files of 16-bit sounds, called shards, and a manifest that lists them."""

import dataclasses
from pathlib import Path

import numpy as np

from doppelgangers.errors import UserError
from doppelgangers.files import checksum, read_json

PCM_SCALE = 32767


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of a store, as its manifest lists it.

    Attributes:
        file: name of the .npy file, (count, 2, T) 16-bit integers, in the folder of the manifest.
        count: number of pairs in it.
        sha256: its checksum.
    """

    file: str
    count: int
    sha256: str

    def is_whole(self, folder: Path) -> bool:
        """Whether the file in `folder` is the one that was written."""
        return (folder / self.file).exists() and checksum(folder / self.file) == self.sha256


def to_pcm(audio: np.ndarray) -> np.ndarray:
    """Convert sound in [-1, 1] to 16-bit integers."""
    return np.round(np.clip(audio, -1, 1) * PCM_SCALE).astype(np.int16)


def from_pcm(pcm: np.ndarray) -> np.ndarray:
    """Convert 16-bit integers to float32 in [-1, 1]."""
    return pcm.astype(np.float32) / PCM_SCALE


class PairStore:
    """The pairs that a manifest lists; a pair is read from disk when it is asked for.

    Args:
        manifest: path of manifest.json, in the folder of its shards.

    Raises:
        UserError: when a shard is missing, or its shape is not that of the manifest.
    """

    def __init__(self, manifest: Path):
        self.path = Path(manifest)
        self.manifest = read_json(self.path)
        self.shards = [Shard(**entry) for entry in self.manifest["shards"]]
        self.sounds = [self.open(shard) for shard in self.shards]

    def open(self, shard: Shard) -> np.ndarray:
        """Sounds of a shard, (count, 2, T) 16-bit integers, mapped into memory."""
        file = self.path.parent / shard.file
        try:
            sounds = np.load(file, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise UserError(f"{file} cannot be read ({error}); delete {self.path} and run again to make it again") from error
        expected = (shard.count, 2, self.manifest["samples"])
        if sounds.shape != expected:
            raise UserError(f"{file} has shape {sounds.shape} and not {expected}; delete {self.path} and run again")
        return sounds

    def __len__(self) -> int:
        return self.manifest["count"]

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Sounds of both views of the pairs at `indices`, (N, 2, T) float32."""
        size = self.manifest["shard_pairs"]
        return from_pcm(np.stack([self.sounds[i // size][i % size] for i in indices]))


def verify(manifest: Path) -> None:
    """Check every shard against the checksum in the manifest.

    Raises:
        UserError: naming the first shard that differs.
    """
    store = PairStore(manifest)
    for shard in store.shards:
        if not shard.is_whole(store.path.parent):
            file = store.path.parent / shard.file
            raise UserError(f"{file} differs from its checksum; delete it and {store.path}, and run again to make it again")
