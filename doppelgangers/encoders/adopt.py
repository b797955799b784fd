"""Stage: take an encoder that somebody released into the table."""

import dataclasses
from pathlib import Path

from doppelgangers.encoders.card import read_card
from doppelgangers.encoders.checkpoint import find_encoder, load_encoder, save_encoder
from doppelgangers.files import checksum


def adopt(encoder: Path, *, released: Path, name: str) -> None:
    """Write a released encoder, in float32, as the encoder of a setting.

    Args:
        encoder: path of encoder.safetensors to write; its card encoder.json is written beside it.
        released: path of a released encoder.safetensors with its card beside it, or of the folder that holds both.
        name: of the setting.

    Raises:
        UserError: when there is no encoder at `released`, or it is broken.
    """
    path = find_encoder(released)
    model, card = load_encoder(path), read_card(path.with_suffix(".json"))
    # Its name and seed where it was trained: in the table here it has another name, and seed 0.
    origin = {"encoder": card.encoder, "seed": card.seed, "sha256": checksum(path)}
    save_encoder(encoder, model, dataclasses.replace(card, encoder=name, source="released", seed=0, about={"released": origin}))
