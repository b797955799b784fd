"""What all taggers have in common: networks of others that name what they hear in a sound."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import nn

from doppelgangers.audio import resample
from doppelgangers.encoders.frontend import RATE_HZ


class Tagger(nn.Module, ABC):
    """A network that says which classes it hears in a sound.

    Attributes:
        rate_hz: sample rate of its own input.
        outputs: what makes its logits probabilities: `softmax`, where a sound has one class, or `sigmoid`, where each class
            may be there or not.
        batch_sounds: how many sounds of 1 s it takes best at once.
    """

    rate_hz: ClassVar[int]
    outputs: ClassVar[Literal["softmax", "sigmoid"]]
    batch_sounds: ClassVar[int]

    @abstractmethod
    def forward(self, audio: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Logits (B, C) of each head, and an embedding (B, D), of audio (B, T) at `rate_hz`."""

    @torch.inference_mode()
    def tag(self, sounds: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Tag sounds.

        Args:
            sounds: (B, T) float32 at 16 kHz.

        Returns:
            logits (B, C) float32 of each head, and an embedding (B, D) float32.

        Raises:
            ValueError: when the sounds are not (B, T), with a sound and a sample at least, or not finite.
        """
        if sounds.ndim != 2 or not sounds.size or not np.isfinite(sounds).all():
            raise ValueError(f"sounds have to be finite and (sounds, samples), not empty; got {sounds.shape}")
        audio = np.stack([resample(sound, RATE_HZ, self.rate_hz) for sound in np.asarray(sounds, np.float32)])
        device = next(self.parameters()).device
        logits, embedding = self(torch.from_numpy(audio).to(device))
        return [head.float().cpu().numpy() for head in logits], embedding.float().cpu().numpy()
