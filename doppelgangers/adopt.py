"""Stage: an encoder that somebody released, as a row of the table."""

from pathlib import Path

from doppelgangers.checkpoint import find_encoder, load_encoder, save_encoder
from doppelgangers.errors import UserError
from doppelgangers.files import checksum, read_json

KEPT = ("architecture", "delta", "augmentation", "pairs", "width", "frontend", "settings", "metrics")


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
    model, card = load_encoder(path), read_json(path.with_suffix(".json"))
    if lacking := [key for key in ("encoder", "seed", *KEPT) if key not in card]:
        raise UserError(
            f"{path.with_suffix('.json')} does not say {', '.join(lacking)}: copy the released encoder again, with its own card"
        )
    content = {
        **{key: card[key] for key in KEPT},
        "encoder": name,
        "source": "released",
        "seed": 0,
        # What it was where it was trained; the table knows it by its name here.
        "released": {"encoder": card["encoder"], "seed": card["seed"], "sha256": checksum(path)},
    }
    save_encoder(encoder, model, content)
