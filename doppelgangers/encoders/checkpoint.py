"""Encoders on disk, and the checkpoint from which an interrupted training continues."""

import io
import logging
import pickle
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.errors import UserError
from doppelgangers.files import read_json, replace

log = logging.getLogger(__name__)


def save_encoder(path: Path, encoder: Encoder, card: Card) -> None:
    """Write encoder.safetensors, and its card encoder.json beside it.

    Args:
        path: of the weights; the card has the same name with the ending .json.
        encoder: whose weights are written.
        card: what is known about it.
    """
    state = {name: tensor.contiguous().cpu() for name, tensor in encoder.state_dict().items()}
    with replace(path) as temporary:
        safetensors.torch.save_file(state, temporary)
    card.write(Path(path).with_suffix(".json"))


def find_encoder(place: Path) -> Path:
    """The weights at `place`, which is an encoder.safetensors or the folder that holds one.

    Raises:
        UserError: when there are none, or there is no card beside them.
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
        state = safetensors.torch.load_file(path)
        state.setdefault("conv1.bias", torch.zeros(len(state["conv1.weight"])))  # version 0.1.0 had no bias there
        encoder.load_state_dict(state)  # raises if a name or a shape differs; converts to float32
    except (safetensors.SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not the encoder that its .json describes ({type(error).__name__}: {error}); make or copy both again"
        ) from error
    return encoder.eval().to(device)


def save_state(path: Path, state: dict[str, Any], settings: dict[str, Any]) -> None:
    """Write a checkpoint, together with the settings of its training."""
    buffer = io.BytesIO()
    torch.save({"settings": settings, "state": state}, buffer)
    with replace(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def load_state(path: Path, settings: dict[str, Any], device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """Read a checkpoint; None if there is none of these settings, and the log says so if there is another."""
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        made_with, state = saved["settings"], saved["state"]
    except FileNotFoundError:
        return None
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        log.info("%s cannot be read (%s): beginning from the beginning", path, str(error).partition("\n")[0])
        return None
    keys = [key for key in {**made_with, **settings} if made_with.get(key) != settings.get(key)]
    if keys:
        changes = ", ".join(f"{key} (was {made_with.get(key)!r}, is {settings.get(key)!r})" for key in keys)
        log.info("%s was left by a training with other settings: %s; beginning from the beginning", path, changes)
        return None
    return state
