"""Stage: the encoder before any training, the row that every other has to beat."""

from pathlib import Path

from doppelgangers.checkpoint import save_encoder
from doppelgangers.encoder import Encoder


def initialize(encoder: Path, *, seed: int, width: float) -> None:
    """Write an encoder with torchvision's initial weights.

    Args:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        seed: of the weights; training with this seed starts from the same ones.
        width: as in `encoder.Encoder`.
    """
    card = {
        "encoder": "random_init",
        "source": "random_init",
        "architecture": "",
        "delta": None,
        "augmentation": "none",
        "seed": seed,
        "pairs": 0,
        "width": width,
        "frontend": "vggish log-mel, 16 kHz",
        "settings": {"seed": seed, "width": width},
        "metrics": {},
    }
    save_encoder(encoder, Encoder(width, seed), card)
