"""The card of an encoder, encoder.json: what it is and how it was made."""

import dataclasses
from pathlib import Path
from typing import Any

from doppelgangers.errors import UserError
from doppelgangers.files import read_json, write_json

FRONTEND = "vggish log-mel, 16 kHz"
AFTER = "-after-"  # in the names of snapshots, before the number of pairs


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known about an encoder.

    Attributes:
        encoder: name of its setting, such as voice-0.25.
        source: where its training sounds come from: synthetic, real, snapshot (one of these before its training ended),
            random_init (not trained), released (trained elsewhere) or peer (not known).
        seed: of its initial weights.
        architecture, delta: of the synthetic pairs that it was trained on; "" and None if there were none.
        augmentation: of the views in its training.
        pairs: number of pairs seen in training; None if not known.
        width: as in `encoder.Encoder`; None for a peer.
        frontend: what converts sound to its input.
        settings: everything that its training depended on.
        metrics: align, uniform and loss of the last batch of its training.
        about: what only some encoders have, by name: scores and provenance of a released one, module and version of a peer.
    """

    encoder: str
    source: str
    seed: int
    architecture: str = ""
    delta: float | None = None
    augmentation: str = "none"
    pairs: int | None = None
    width: float | None = None
    frontend: str = FRONTEND
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    about: dict[str, Any] = dataclasses.field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the card as JSON, with the entries of `about` beside the others."""
        content = dataclasses.asdict(self)
        write_json(path, {**content.pop("about"), **content})


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        UserError: naming the file and the entries that it does not have.
    """
    content = read_json(path)
    fields = {field.name for field in dataclasses.fields(Card)} - {"about"}
    missing = [name for name in ("encoder", "source", "seed") if name not in content]
    if missing:
        raise UserError(f"{path} does not say {', '.join(missing)}: it is not the card of an encoder; make or copy it again")
    known = {name: value for name, value in content.items() if name in fields}
    return Card(**known, about={name: value for name, value in content.items() if name not in fields})


def snapshot_name(setting: str, pairs: int) -> str:
    """Name of the encoder setting of a snapshot: voice-0.25-after-12800."""
    return f"{setting}{AFTER}{pairs}"


def trained_setting(snapshot: str) -> str:
    """The encoder setting whose training a snapshot is of, by the snapshot's name."""
    return snapshot.rpartition(AFTER)[0]


def snapshot_file(pairs: int, file: str) -> str:
    """Name of a snapshot's file, which lies beside that of the encoder: encoder.json is after-12800.json."""
    return file.replace("encoder", f"after-{pairs}")
