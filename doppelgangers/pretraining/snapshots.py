"""Encoders that a training leaves on its way, so that one training gives scores by pairs seen."""

import dataclasses
import shutil
from pathlib import Path

from doppelgangers.encoders.card import Card, snapshot_file, snapshot_name
from doppelgangers.encoders.checkpoint import save_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.pretraining.settings import PretrainSettings


class Snapshots:
    """The snapshots of a training.

    Until the training ends they are in a folder of their own: Snakemake deletes all that a job has declared which did not end.

    Args:
        encoder: encoder.safetensors of the training; after-<pairs>.safetensors and .json are put beside it.
        card: of the training.
        settings: of the training, with the numbers of pairs.
    """

    def __init__(self, encoder: Path, card: Card, settings: PretrainSettings):
        self.target, self.card = Path(encoder).parent, card
        self.folder = self.target / "snapshots"
        self.pairs = {pairs // settings.batch_pairs: pairs for pairs in settings.snapshots}

    def has_all_until(self, step: int) -> bool:
        """Whether those are there that a training has left after so many steps."""
        return all(self.path(pairs).exists() for at, pairs in self.pairs.items() if at <= step)

    def path(self, pairs: int) -> Path:
        """Of the weights after so many pairs, while the training goes on."""
        return self.folder / snapshot_file(pairs, "encoder.safetensors")

    def take(self, step: int, encoder: Encoder, metrics: dict[str, float]) -> None:
        """Write the encoder after this step, if one is asked for."""
        if pairs := self.pairs.get(step):
            card = dataclasses.replace(
                self.card, encoder=snapshot_name(self.card.encoder, pairs), source="snapshot", pairs=pairs, metrics=metrics
            )
            save_encoder(self.path(pairs), encoder, card)

    def publish(self) -> None:
        """Put them beside the encoder."""
        for file in self.folder.glob("after-*") if self.pairs else ():
            shutil.copyfile(file, self.target / file.name)

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
