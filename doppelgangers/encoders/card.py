"""The card of an encoder, encoder.json: what it is, how it was made, and how its training ended."""

import dataclasses
from pathlib import Path
from typing import Any

from doppelgangers.errors import UserError
from doppelgangers.files import read_json, write_json

FRONTEND = "vggish log-mel, 16 kHz"


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of an encoder.

    Attributes:
        encoder: name of its setting, such as voice-0.25.
        source: what it learnt from: synthetic, real, random_init (nothing), released (see its own card) or peer (unknown).
        seed: of its initial weights.
        architecture, delta: of the pairs that it was trained on; "" and None without such pairs.
        augmentation: of the views.
        pairs: seen in training; None where that is not known.
        width: of the encoder; None where it is not one of ours.
        frontend: what turns sound into its input.
        settings: all that its training depended on.
        metrics: of the last batch of its training: align, uniform, loss.
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
        """Write the card as JSON; what is `about` the encoder stands beside the other entries."""
        content = dataclasses.asdict(self)
        write_json(path, {**content.pop("about"), **content})


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        UserError: naming the file and what it does not say.
    """
    content = read_json(path)
    fields = {field.name: field for field in dataclasses.fields(Card) if field.name != "about"}
    required = [name for name in ("encoder", "source", "seed") if name not in content]
    if required:
        raise UserError(f"{path} does not say {', '.join(required)}: it is not the card of an encoder; make or copy it again")
    known = {name: value for name, value in content.items() if name in fields}
    return Card(**known, about={name: value for name, value in content.items() if name not in fields})
