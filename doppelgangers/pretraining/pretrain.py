"""Stages: contrastive pretraining of one encoder, on synthesized pairs or, as a baseline, on recordings."""

import dataclasses
from pathlib import Path

from doppelgangers.encoders.card import Card
from doppelgangers.files import checksum
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.sources import Recordings, Store, Stream
from doppelgangers.pretraining.training import CHECKPOINT_EVERY_S, Training, train
from doppelgangers.synthesis.generate import PairRecipe


def pretrain(
    encoder: Path,
    history: Path,
    *,
    name: str,
    seed: int,
    recipe: PairRecipe,
    augmentation: str,
    store: Path | None,
    impulse_responses: Path | None,
    width: float,
    training: PretrainSettings,
    selected: Path | None = None,
    kept: str = "",
    code: str = "",
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """Train an encoder on pairs of doppelgängers.

    Args:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        history: path of history.csv to write.
        name: of the encoder setting.
        seed: of the initial weights, of streamed pairs or the order of stored ones, and of augmentations.
        recipe: of the pairs.
        augmentation: of each view, a name of `augment.AUGMENTATIONS`; the paper has none with a delta above 0.
        store: manifest.json of the pairs, where `training.source` is "store", and None where it is "stream".
        impulse_responses: folder or archive of them, for the augmentations of the waveform; None leaves that step out.
        width: of the encoder.
        training: settings; of the sources, "store" gives the pairs in a new random order every epoch, "stream" each once.
        selected: .csv with the numbers of the pairs of the store that are used; None: all.
        kept: what these pairs are, in words, for the card: it stands with the augmentation, as the views of recordings do, so
            that no table or figure takes the encoder for one that was trained on all of them.
        code: digest of the code that runs.
        checkpoint_every_s: seconds between two side checkpoints.

    Raises:
        UserError: as `training.train`.
    """
    if (training.source == "store") != (store is not None):
        raise ValueError(f"source {training.source!r} does not go with the store {store}")
    if selected is not None and store is None:
        raise ValueError(f"{selected} is a part of a store, and there is none")
    named = [part for part in (kept, augmentation) if part not in ("", "none")]
    chosen = {"selected": checksum(Path(selected))} if selected is not None else {}
    facts = {f"recipe.{key}": value for key, value in dataclasses.asdict(recipe).items()}
    card = Card(
        name,
        source="synthetic",
        seed=seed,
        architecture=recipe.architecture,
        delta=recipe.delta,
        augmentation="+".join(named) or "none",
        width=width,
        settings={"pairs_from": training.source, "code": code, **facts, **chosen},
    )
    train(
        Training(
            encoder=Path(encoder),
            history=Path(history),
            card=card,
            settings=training,
            width=width,
            source=Stream(recipe) if store is None else Store(Path(store), selected and Path(selected)),
            augmentation=Augmentation(augmentation, impulse_responses),
            checkpoint_every_s=checkpoint_every_s,
        )
    )


def pretrain_on_recordings(
    encoder: Path,
    history: Path,
    *,
    name: str,
    seed: int,
    manifest: Path,
    recordings: str,
    duration_s: float,
    views: str,
    layers: int,
    augmentation: str,
    impulse_responses: Path | None,
    width: float,
    training: PretrainSettings,
    code: str = "",
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """Train an encoder on real sounds, the baseline of the paper.

    Args:
        encoder, history, name, augmentation, impulse_responses, width, code, checkpoint_every_s: as in `pretrain`.
        seed: of the initial weights, of crops and of augmentations.
        manifest, duration_s, views, layers: as in `sources.Recordings`.
        recordings: their name.
        training: settings, of which `source` and `gpu_pairs` are not used.

    Raises:
        UserError: as `training.train`.
    """
    named = [part for part in (views, f"layers{layers}", augmentation) if part not in ("crop", "layers1", "none")]
    facts = {"recordings": recordings, "duration_s": duration_s, "views": views, "layers": layers}
    train(
        Training(
            encoder=Path(encoder),
            history=Path(history),
            card=Card(name, "real", seed, augmentation="+".join(named), width=width, settings={"code": code, **facts}),
            settings=training,
            width=width,
            source=Recordings(Path(manifest), duration_s, views, layers),
            augmentation=Augmentation(augmentation, impulse_responses),
            checkpoint_every_s=checkpoint_every_s,
        )
    )
