"""Stage: an encoder that somebody released, as a row of the table."""

import dataclasses
from pathlib import Path

from doppelgangers.encoders.card import read_card
from doppelgangers.encoders.checkpoint import find_encoder, load_encoder, save_encoder
from doppelgangers.files import checksum


def adopt(encoder: Path, *, released: Path, name: str) -> None:
    """Write a released encoder in float32 as the encoder of a setting.

    Args:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        released: encoder.safetensors of `release`, its card beside it, or the folder of both.
        name: of the encoder setting.

    Raises:
        UserError: when there is no released encoder, or a broken one.
    """
    path = find_encoder(released)
    model, card = load_encoder(path), read_card(path.with_suffix(".json"))
    # What it was where it was trained; the table knows it by its name here.
    origin = {"encoder": card.encoder, "seed": card.seed, "sha256": checksum(path)}
    save_encoder(encoder, model, dataclasses.replace(card, encoder=name, source="released", seed=0, about={"released": origin}))
