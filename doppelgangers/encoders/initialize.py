"""Stage: make an encoder that is not trained, which every trained encoder has to beat."""

from pathlib import Path

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import save_encoder
from doppelgangers.encoders.encoder import Encoder


def initialize(encoder: Path, *, seed: int, width: float) -> None:
    """Write an encoder with its initial weights.

    Args:
        encoder: path of encoder.safetensors to write; its card encoder.json is written beside it.
        seed: of the weights; training with the same seed starts from the same weights.
        width: as in `encoder.Encoder`.
    """
    settings = {"seed": seed, "width": width}
    card = Card("random_init", source="random_init", seed=seed, pairs=0, width=width, settings=settings)
    save_encoder(encoder, Encoder(width, seed), card)
