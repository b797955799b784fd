"""Encoders on disk, and the side checkpoint from which a killed training continues."""

import io
import pickle
from pathlib import Path

import safetensors.torch
import torch

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.errors import UserError
from doppelgangers.files import read_json, replace


def save_encoder(path: Path, encoder: Encoder, card: Card) -> None:
    """Write encoder.safetensors, and beside it encoder.json with what is known of it.

    Args:
        path: of the weights; the card gets the same name with the ending .json.
        encoder: any `Encoder`.
        card: what is known of it.
    """
    state = {name: tensor.contiguous().cpu() for name, tensor in encoder.state_dict().items()}
    with replace(path) as temporary:
        safetensors.torch.save_file(state, temporary)
    card.write(Path(path).with_suffix(".json"))


def find_encoder(place: Path) -> Path:
    """The weights at `place`, which is an encoder.safetensors or the folder that holds one.

    Raises:
        UserError: when there are none, or no card beside them.
    """
    path = Path(place) / "encoder.safetensors" if Path(place).is_dir() else Path(place)
    if missing := [str(file) for file in (path, path.with_suffix(".json")) if not file.is_file()]:
        raise UserError(
            f"{place} is not an encoder, because there is no {missing[0]}: name an encoder.safetensors that has "
            "its encoder.json beside it, or the folder that holds both, such as results/encoders/voice-0.25/seed=0"
        )
    return path


def load_encoder(path: Path, device: torch.device | str = "cpu") -> Encoder:
    """Read an encoder that `save_encoder` or `release` wrote, in float32 and evaluation mode.

    Raises:
        UserError: when the file is broken or does not fit its card.
    """
    try:
        encoder = Encoder(width=read_json(Path(path).with_suffix(".json"))["width"])
        encoder.load_state_dict(safetensors.torch.load_file(path))  # every tensor, by name; copied into float32
    except (safetensors.SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not the encoder that its .json describes ({type(error).__name__}: {error}); delete both, and run or "
            "copy them again"
        ) from error
    return encoder.eval().to(device)


def save_state(path: Path, state: dict, settings: dict) -> None:
    """Write a side checkpoint, tagged with the settings that it belongs to."""
    buffer = io.BytesIO()
    torch.save({"settings": settings, "state": state}, buffer)
    with replace(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def load_state(path: Path, settings: dict, device: torch.device | str = "cpu") -> dict | None:
    """Read a side checkpoint; None where there is none.

    Raises:
        UserError: when it cannot be read, or was made with other settings; it names the keys that differ.
    """
    if not Path(path).exists():
        return None
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        made_with, state = saved["settings"], saved["state"]
    except (OSError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise UserError(f"{path} cannot be read ({error}); delete it to start anew") from error
    if different := [key for key in settings if made_with.get(key) != settings[key]]:
        changes = ", ".join(f"{key} (was {made_with.get(key)!r}, is {settings[key]!r})" for key in different)
        raise UserError(
            f"{path}, which an unfinished training left, was made with other settings: {changes}. Set them back to continue "
            "it, or delete it to start anew"
        )
    return state
