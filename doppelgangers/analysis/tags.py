"""Stage: what taggers hear in sets of sounds."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from doppelgangers.analysis.taggers.load import load_tagger
from doppelgangers.analysis.uncertainty import Outputs
from doppelgangers.encoders.device import find_device
from doppelgangers.errors import UserError
from doppelgangers.files import read_json, replace
from doppelgangers.synthesis.store import from_pcm


class Tags(NamedTuple):
    """What a tagger heard in a set of sounds, and what the set is.

    Attributes:
        logits: (N, C) of each head.
        outputs: what makes them probabilities.
        embedding: (N, D).
        views: (N,), a or b for the views of pairs, which follow each other; else empty.
        name, kind, architecture, delta: of the set.
    """

    logits: list[np.ndarray]
    outputs: Outputs
    embedding: np.ndarray
    views: np.ndarray
    name: str
    kind: str
    architecture: str
    delta: str


def tag_sounds(tags: Path, *, sounds: Path, tagger: str, weights: str = "") -> None:
    """Tag every sound of a set, both views of pairs.

    Args:
        tags: .npz file to write: logits_0 and so on, (N, C) float32 for each head; embedding (N, D) float32; outputs.
        sounds: sounds.npy of a set, (N, T) int16 at 16 kHz.
        tagger, weights: as `load_tagger` takes them.

    Raises:
        UserError: when the weights are not there, or what the tagger says is not finite.
    """
    model = load_tagger(tagger, weights).to(find_device())
    pcm = np.load(sounds, mmap_mode="r")
    parts = range(0, len(pcm), model.batch_sounds)
    found = [model.tag(from_pcm(pcm[start : start + model.batch_sounds])) for start in tqdm(parts, desc=f"tags {tagger}")]
    arrays: dict[str, Any] = {"embedding": np.concatenate([embedding for _, embedding in found])}
    for head, logits in enumerate(zip(*(heads for heads, _ in found), strict=True)):
        arrays[f"logits_{head}"] = np.concatenate(logits)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise UserError(f"the tagger {tagger} gives numbers that are not finite for {sounds}: its weights may be damaged")
    with replace(tags) as temporary:
        np.savez(temporary, outputs=np.array(model.outputs), **arrays)


def read_tags(tags: Path, sounds: Path) -> Tags:
    """Read what `tag_sounds` wrote.

    Args:
        tags: its .npz.
        sounds: sounds.csv of the set, with sounds.json beside it.

    Raises:
        UserError: when they do not belong together.
    """
    views = pd.read_csv(sounds, usecols=["view"], dtype=str, keep_default_na=False)["view"].to_numpy()
    about = read_json(Path(sounds).with_name("sounds.json"))
    with np.load(tags) as arrays:
        logits = [arrays[f"logits_{head}"] for head in range(sum(name.startswith("logits_") for name in arrays))]
        embedding = arrays["embedding"]
        outputs: Outputs = "softmax" if arrays["outputs"] == "softmax" else "sigmoid"
    if len(embedding) != len(views):
        raise UserError(f"{tags} has tags of {len(embedding)} sounds, and {sounds} has {len(views)}: delete it and run again")
    made_of = about.get("architecture", ""), about.get("delta", "")
    return Tags(logits, outputs, embedding, views, about["sounds"], about["kind"], *made_of)
