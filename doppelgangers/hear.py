"""The API of the HEAR benchmark for our encoders, so that its tools can run them (hearbenchmark.com/hear-api.html)."""

import warnings
from pathlib import Path

import torch
from torch import nn

from doppelgangers.encoders.checkpoint import find_encoder, load_encoder
from doppelgangers.encoders.encoder import EMBEDDING_SIZE, Encoder
from doppelgangers.encoders.frontend import HOP, PATCH_FRAMES, PATCH_SAMPLES, RATE_HZ, LogMel

TIMESTAMP_HOP_FRAMES = 5  # 50 ms, the longest hop that HEAR recommends
BATCH_WINDOWS = 256  # windows of 0.96 s in memory at the same time


class HearModel(nn.Module):
    """An encoder with its front-end, and the attributes that HEAR requires of a model.

    Args:
        encoder: the encoder.

    Attributes:
        sample_rate: of its input, in Hz.
        scene_embedding_size: length of the embedding of a sound.
        timestamp_embedding_size: length of the embedding of a moment.
    """

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.log_mel = LogMel()
        self.encoder = encoder
        self.sample_rate = RATE_HZ
        self.scene_embedding_size = EMBEDDING_SIZE
        self.timestamp_embedding_size = EMBEDDING_SIZE

    def forward(self, audio: torch.Tensor, hop_frames: int) -> torch.Tensor:
        """Embed the W windows of 96 frames in a sound, `hop_frames` apart: audio (N, T) at 16 kHz -> (N, W, 512).

        Only a batch of windows is in memory at the same time, so that sounds can be long.
        """
        hop = hop_frames * HOP
        windows = 1 + (audio.shape[1] - PATCH_SAMPLES) // hop
        at_once = max(1, BATCH_WINDOWS // len(audio))
        embeddings = []
        for first in range(0, windows, at_once):
            part = audio[:, first * hop : (first + at_once - 1) * hop + PATCH_SAMPLES]
            patches = self.log_mel.frames(part).unfold(1, PATCH_FRAMES, hop_frames).transpose(2, 3)
            embeddings.append(self.encoder(patches.flatten(0, 1)).unflatten(0, patches.shape[:2]))
        return torch.cat(embeddings, dim=1)


def load_model(model_file_path: str = "") -> HearModel:
    """Load an encoder for the HEAR benchmark.

    Args:
        model_file_path: path of an encoder.safetensors with its card encoder.json beside it, or of the folder that holds both;
            "" for an encoder with random weights, of width 1.0 and seed 0.

    Raises:
        UserError: when there is no encoder at that path, or it is broken.
    """
    if not model_file_path:
        warnings.warn("no encoder is named, so this is a random initialisation: width 1.0, seed 0", stacklevel=2)
        return HearModel(Encoder(width=1.0, seed=0)).eval()
    return HearModel(load_encoder(find_encoder(Path(model_file_path)))).eval()


@torch.no_grad()
def get_scene_embeddings(audio: torch.Tensor, model: HearModel) -> torch.Tensor:
    """Embed each sound: the mean over its patches of 0.96 s, as in `evaluation.features`.

    Args:
        audio: (N, T) mono at 16 kHz in [-1, 1]; sounds shorter than a patch are padded with silence.
        model: from `load_model`.

    Returns:
        (N, 512) float32 on the model's device.

    Raises:
        ValueError: when the audio is not (N, T) of floating-point numbers.
    """
    audio = checked(audio, model)
    audio = nn.functional.pad(audio, (0, max(0, PATCH_SAMPLES - audio.shape[1])))
    return torch.cat([model(part, PATCH_FRAMES).mean(dim=1) for part in audio.split(BATCH_WINDOWS)])


@torch.no_grad()
def get_timestamp_embeddings(audio: torch.Tensor, model: HearModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Embed a moment every 50 ms: the 0.96 s of sound around it.

    Args:
        audio: (N, T) mono at 16 kHz in [-1, 1]; it counts as silent before its start and after its end.
        model: from `load_model`.

    Returns:
        embeddings (N, S, 512) float32; and timestamps (N, S) float32 in milliseconds: 0, 50, ... up to the end of the sound.
        Both are on the model's device.

    Raises:
        ValueError: when the audio is not (N, T) of floating-point numbers.
    """
    audio = checked(audio, model)
    audio = nn.functional.pad(audio, (PATCH_SAMPLES // 2, PATCH_SAMPLES // 2))
    embeddings = torch.cat([model(part, TIMESTAMP_HOP_FRAMES) for part in audio.split(BATCH_WINDOWS)])
    hop_ms = 1000 * TIMESTAMP_HOP_FRAMES * HOP / RATE_HZ
    timestamps = torch.arange(embeddings.shape[1], dtype=torch.float32, device=audio.device) * hop_ms
    return embeddings, timestamps.repeat(len(audio), 1)


def checked(audio: torch.Tensor, model: HearModel) -> torch.Tensor:
    """The audio as float32 on the model's device.

    Raises:
        ValueError: when it is not (N, T) of floating-point numbers, with at least one sound and one sample.
    """
    if audio.ndim != 2 or not audio.numel():
        raise ValueError(f"audio has to be (sounds, samples), not empty; got {tuple(audio.shape)}")
    if not audio.is_floating_point():
        raise ValueError(f"audio has to be floating-point numbers in [-1, 1], got {audio.dtype}")
    return audio.to(model.log_mel.window.device, torch.float32)
