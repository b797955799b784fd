"""Stage: frozen embeddings of every clip of a dataset."""

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.device import find_device
from doppelgangers.encoders.encoder import EMBEDDING_SIZE
from doppelgangers.files import replace

BATCH_PATCHES = 256


def extract_features(features: Path, *, encoder: Path, logmel: Path) -> None:
    """Embed every patch and average over the patches of a clip.

    Args:
        features: .npy file to write, (N, 512) float32; row i belongs to row i of clips.csv.
        encoder: encoder.safetensors.
        logmel: logmel.npy of a dataset, (N, P, 96, 64).
    """
    device = find_device()
    model = load_encoder(encoder, device).to(memory_format=torch.channels_last)
    patches = np.load(logmel, mmap_mode="r")
    clips = max(1, BATCH_PATCHES // patches.shape[1])
    result = np.empty((len(patches), EMBEDDING_SIZE), np.float32)
    with torch.inference_mode():
        for start in tqdm(range(0, len(patches), clips), desc="features", unit="batch"):
            batch = torch.from_numpy(patches[start : start + clips].astype(np.float32)).to(device)
            result[start : start + clips] = model(batch.flatten(0, 1)).unflatten(0, batch.shape[:2]).mean(dim=1).cpu()
    with replace(features) as temporary:
        np.save(temporary, result)
