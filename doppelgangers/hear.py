"""Our encoders behind the API of the HEAR benchmark, so that its tools run on them (hearbenchmark.com/hear-api.html)."""

import warnings

import torch
from torch import nn

from doppelgangers.encoders.checkpoint import find_encoder, load_encoder
from doppelgangers.encoders.encoder import EMBEDDING_SIZE, Encoder
from doppelgangers.encoders.frontend import HOP, PATCH_FRAMES, PATCH_SAMPLES, RATE_HZ, LogMel

TIMESTAMP_HOP_FRAMES = 5  # 50 ms: HEAR suggests no longer hop, because its events tolerate 50 ms
BATCH_WINDOWS = 256  # windows of 0.96 s that are in memory at once


class HearModel(nn.Module):
    """An encoder with its front-end, and the attributes that HEAR asks a model for.

    Args:
        encoder: any `Encoder`.

    Attributes:
        sample_rate: in Hz, of the sounds that it takes.
        scene_embedding_size: numbers in an embedding of a sound.
        timestamp_embedding_size: numbers in an embedding of a moment.
    """

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.log_mel = LogMel()
        self.encoder = encoder
        self.sample_rate = RATE_HZ
        self.scene_embedding_size = EMBEDDING_SIZE
        self.timestamp_embedding_size = EMBEDDING_SIZE

    def forward(self, audio: torch.Tensor, hop_frames: int) -> torch.Tensor:
        """Embed the W windows of 96 frames that fit, `hop_frames` apart: audio (N, T) at 16 kHz -> (N, W, 512).

        Only a batch of windows is in memory at a time, so that a sound may last long.
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
        model_file_path: of an encoder.safetensors with its card encoder.json beside it, or of the folder that holds
            both; "" for the random initialisation at full width, seed 0.

    Raises:
        UserError: when there is no encoder at that path, or a broken one.
    """
    if not model_file_path:
        warnings.warn("no encoder is named, so this is a random initialisation: width 1.0, seed 0", stacklevel=2)
        return HearModel(Encoder(width=1.0, seed=0)).eval()
    return HearModel(load_encoder(find_encoder(model_file_path))).eval()


@torch.no_grad()
def get_scene_embeddings(audio: torch.Tensor, model: HearModel) -> torch.Tensor:
    """One embedding a sound, the mean over its patches of 0.96 s, as in `features`.

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
    """An embedding every 50 ms, of the 0.96 s around that moment.

    Args:
        audio: (N, T) mono at 16 kHz in [-1, 1]; it is taken to be silent before its begin and after its end.
        model: from `load_model`.

    Returns:
        embeddings (N, S, 512) float32; timestamps (N, S) float32 in milliseconds: 0, 50, ... up to the audio's end.
        Both on the model's device.

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
