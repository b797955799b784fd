"""Stages: contrastive pretraining of one encoder, on synthesized pairs or, as a baseline, on recordings."""

import dataclasses
from pathlib import Path

from doppelgangers.encoders.card import Card
from doppelgangers.pretraining.learner import Settings
from doppelgangers.pretraining.training import CHECKPOINT_EVERY_S, train
from doppelgangers.synthesis.generate import PairRecipe


def pretrain(
    encoder: Path,
    history: Path,
    *,
    name: str,
    recipe: PairRecipe,
    augmentation: str,
    seed: int,
    store: Path | None,
    impulse_responses: Path | None,
    width: float,
    source: str,
    training: dict,
    code: str = "",
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """Train an encoder on pairs of doppelgängers.

    Args:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        history: path of history.csv to write.
        name: of the encoder setting.
        recipe: of the pairs.
        augmentation: of each view, a name of `augment.AUGMENTATIONS`; the paper has none with a delta above 0.
        seed: of the initial weights, of the order of stored pairs, and of augmentations.
        store: manifest.json of the pairs, for source "store".
        impulse_responses: folder or archive of them, for the augmentations of the waveform; None leaves that step out.
        width: of the encoder.
        source: "store" (in a new random order every epoch) or "stream" (pair indices in order, each seen once).
        training: the other fields of `learner.Settings`.
        code: digest of the code that runs.
        checkpoint_every_s: seconds between two side checkpoints.

    Raises:
        UserError: as `training.train`.
    """
    settings = Settings(width=width, seed=seed, **training)
    sounds = {"kind": "store", "manifest": str(store)} if source == "store" else {"kind": "stream", "recipe": recipe}
    made_of = {
        "source": "synthetic",
        "architecture": recipe.architecture,
        "delta": recipe.delta,
        "augmentation": augmentation,
    }
    train(
        encoder,
        history,
        settings=settings,
        sounds=sounds,
        augmentation={"name": augmentation, "impulse_responses": impulse_responses},
        card=card_of(name, made_of, settings, {"recipe": dataclasses.asdict(recipe), "pairs_from": source}, code),
        checkpoint_every_s=checkpoint_every_s,
    )


def pretrain_on_recordings(
    encoder: Path,
    history: Path,
    *,
    name: str,
    manifest: Path,
    recordings: str,
    duration_s: float,
    views: str,
    layers: int,
    augmentation: str,
    seed: int,
    impulse_responses: Path | None,
    width: float,
    training: dict,
    code: str = "",
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """Train an encoder on real sounds, the baseline of the paper.

    Args:
        encoder, history, name, augmentation, seed, impulse_responses, width, training, code, checkpoint_every_s: as in
            `pretrain`.
        manifest: recordings.csv of `recordings.decode_recordings`.
        recordings: their name.
        duration_s: length of a crop.
        views: "crop", both views are the same random crop, or "jitter", two random crops of one recording.
        layers: seconds of a recording that are laid over each other; 1 for none.

    Raises:
        UserError: as `training.train`.
    """
    settings = Settings(width=width, seed=seed, **training)
    crops = {"duration_s": duration_s, "views": views, "layers": layers}
    named = [part for part in (views, f"layers{layers}", augmentation) if part not in ("crop", "layers1", "none")]
    made_of = {"source": "real", "architecture": "", "delta": None, "augmentation": "+".join(named)}
    train(
        encoder,
        history,
        settings=settings,
        sounds={"kind": "recordings", "manifest": str(manifest), **crops},
        augmentation={"name": augmentation, "impulse_responses": impulse_responses},
        card=card_of(name, made_of, settings, {"recordings": recordings, **crops}, code),
        checkpoint_every_s=checkpoint_every_s,
    )


def card_of(name: str, made_of: dict, settings: Settings, pairs: dict, code: str) -> Card:
    """What is known of an encoder before it is trained; a checkpoint has to agree with its `settings`."""
    return Card(
        name,
        **made_of,
        seed=settings.seed,
        width=settings.width,
        settings={**dataclasses.asdict(settings), **pairs, "augmentation": made_of["augmentation"], "code": code},
    )
