"""Stage: frozen embeddings of every clip of a dataset."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from doppelgangers.datasets.clips import LENGTH
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.encoder import EMBEDDING_SIZE
from doppelgangers.encoders.frontend import HOP, PATCH_FRAMES, RATE_HZ
from doppelgangers.errors import UserError
from doppelgangers.files import replace

BATCH_PATCHES = 256


def extract_features(features: Path, *, encoder: Path, logmel: Path, clips: Path | None = None) -> None:
    """Embed every patch and average over the patches of a clip.

    Args:
        features: .npy file to write, (N, 512) float32; row i belongs to row i of clips.csv.
        encoder: encoder.safetensors.
        logmel: logmel.npy of a dataset, (N, P, 96, 64).
        clips: clips.csv of the dataset, for a mean that leaves out the silence with which clips are padded; None for the
            mean over all patches.

    Raises:
        UserError: when the lengths of the clips are needed and not known.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_encoder(encoder, device).to(memory_format=torch.channels_last)
    patches = np.load(logmel, mmap_mode="r")
    weights = None if clips is None else torch.from_numpy(patch_weights(clips, patches.shape[1])).to(device)
    size = max(1, BATCH_PATCHES // patches.shape[1])
    result = np.empty((len(patches), EMBEDDING_SIZE), np.float32)
    with torch.inference_mode():
        for start in tqdm(range(0, len(patches), size), desc="features", unit="batch"):
            part = slice(start, start + size)
            batch = torch.from_numpy(patches[part].astype(np.float32)).to(device)
            embeddings = model(batch.flatten(0, 1)).unflatten(0, batch.shape[:2])
            means = embeddings.mean(dim=1) if weights is None else (embeddings * weights[part, :, None]).sum(dim=1)
            result[part] = means.cpu()
    with replace(features) as temporary:
        np.save(temporary, result)


def patch_weights(clips: Path, patches: int) -> np.ndarray:
    """Share of each patch in a clip's mean, (N, patches) float32: as much of it as lies within the clip; rows sum to 1.

    The first patch counts whole, so that a clip that is shorter, or empty, has one.

    Args:
        clips: clips.csv, with `unpadded_s`.
        patches: of every clip.

    Raises:
        UserError: when the lengths of the clips are not known.
    """
    patch_s = PATCH_FRAMES * HOP / RATE_HZ
    table = pd.read_csv(clips, low_memory=False)
    if LENGTH not in table:
        raise UserError(
            f"{clips} has no column {LENGTH}, as an earlier version wrote it: run with --forcerun prepare, or set "
            "features.pooling to mean"
        )
    inside = np.clip(table[LENGTH].to_numpy()[:, None] / patch_s - np.arange(patches), 0, 1)
    inside[:, 0] = 1
    return (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)
