"""A sharded store of sounds on disk: 16-bit .npy files, and a manifest that says what must be in them."""

from pathlib import Path

import numpy as np

from doppelgangers.errors import UserError
from doppelgangers.files import checksum, read_json

PCM_SCALE = 32767


def to_pcm(audio: np.ndarray) -> np.ndarray:
    """Float sound in [-1, 1] to 16-bit integers."""
    return np.round(np.clip(audio, -1, 1) * PCM_SCALE).astype(np.int16)


def from_pcm(pcm: np.ndarray) -> np.ndarray:
    """16-bit integers to float32 in [-1, 1]."""
    return pcm.astype(np.float32) / PCM_SCALE


class PairStore:
    """The pairs that a manifest describes, read from disk as they are asked for.

    Args:
        manifest: path of manifest.json, beside its shards.

    Raises:
        UserError: when a shard is missing or has another shape than the manifest says.
    """

    def __init__(self, manifest: Path):
        self.path = Path(manifest)
        self.manifest = read_json(self.path)
        self.shard_pairs = self.manifest["shard_pairs"]
        self.shards = []
        for entry in self.manifest["shards"]:
            file = self.path.parent / entry["file"]
            try:
                shard = np.load(file, mmap_mode="r")
            except (OSError, ValueError) as error:
                raise UserError(f"{file} cannot be read ({error}); delete {self.path} and run again to make it anew") from error
            expected = (entry["count"], 2, self.manifest["samples"])
            if shard.shape != expected:
                raise UserError(f"{file} has shape {shard.shape} and not {expected}; delete {self.path} and run again")
            self.shards.append(shard)

    def __len__(self) -> int:
        return self.manifest["count"]

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Sounds of both views of the pairs at `indices`, (N, 2, T) float32."""
        rows = [self.shards[i // self.shard_pairs][i % self.shard_pairs] for i in indices]
        return from_pcm(np.stack(rows))


def verify(manifest: Path) -> None:
    """Hold every shard against the checksum of the manifest.

    Raises:
        UserError: naming the first shard that differs.
    """
    store = PairStore(manifest)
    for entry in store.manifest["shards"]:
        file = store.path.parent / entry["file"]
        if checksum(file) != entry["sha256"]:
            raise UserError(f"{file} differs from its checksum; delete it and {store.path}, and run again to make it anew")
