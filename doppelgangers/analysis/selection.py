"""Stages: choose the pairs of a store, its candidates, that an encoder is trained on, by their causal uncertainty or at random."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from doppelgangers.analysis.taggers.load import load_tagger
from doppelgangers.analysis.uncertainty import uncertainty
from doppelgangers.encoders.device import find_device
from doppelgangers.errors import UserError
from doppelgangers.files import replace
from doppelgangers.synthesis.store import PairStore

SILENT = 1e-3  # a peak below this, -60 dB: it cannot be levelled, and no pair with it is kept
DIGITS = 6


def tag_candidates(tags: Path, *, store: Path, tagger: str, weights: str = "") -> None:
    """Tag the first view of every pair of a store, each scaled to a peak of 1.

    Args:
        tags: .npz to write: logits_0 and so on, (N, C) float32 for each head of the tagger; outputs, "softmax" or "sigmoid";
            silent (N,), whether either view is.
        store: manifest.json of the pairs.
        tagger, weights: as `load_tagger` takes them.

    Raises:
        UserError: when the weights are not there, or what the tagger says is not finite.
    """
    pairs, model = PairStore(store), load_tagger(tagger, weights).to(find_device())
    heads: list[list[np.ndarray]] = []
    silent = []
    for start in tqdm(range(0, len(pairs), model.batch_sounds), desc=f"tags {tagger}"):
        sounds = pairs.read(np.arange(start, min(start + model.batch_sounds, len(pairs))))
        peaks = np.abs(sounds).max(axis=2)
        silent.append(peaks.min(axis=1) < SILENT)
        heads.append(model.tag(sounds[:, 0] / np.maximum(peaks[:, :1], SILENT))[0])
    arrays = {f"logits_{head}": np.concatenate(logits) for head, logits in enumerate(zip(*heads, strict=True))}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise UserError(f"the tagger {tagger} gives numbers that are not finite for {store}: its weights may be damaged")
    with replace(tags) as temporary:
        np.savez(temporary, outputs=np.array(model.outputs), silent=np.concatenate(silent), **arrays)


def select_pairs(selected: Path, *, tags: Path, name: str, definition: str, keep: str, share: float) -> None:
    """Choose a share of the pairs of a store.

    Args:
        selected: .csv to write: pair (its number in the store, ascending), value (its uncertainty, from 0 to 1).
        tags: .npz of `tag_candidates`.
        name: of the encoder setting; it chooses the pairs that are kept at random.
        definition: of `uncertainty.DEFINITIONS`.
        keep, share: as `choose` takes them.
    """
    with np.load(tags) as arrays:
        logits = [arrays[f"logits_{head}"] for head in range(sum(name.startswith("logits_") for name in arrays))]
        outputs, silent = str(arrays["outputs"]), arrays["silent"]
    values = uncertainty(definition, logits, outputs)  # type: ignore[arg-type]
    chosen = choose(values, np.flatnonzero(~silent), keep=keep, share=share, name=name)
    with replace(selected) as temporary:
        pd.DataFrame({"pair": chosen, "value": values[chosen]}).round(DIGITS).to_csv(temporary, index=False)


def choose(values: np.ndarray, candidates: np.ndarray, *, keep: str, share: float, name: str) -> np.ndarray:
    """Numbers of the pairs that are kept, ascending; as many whatever is kept.

    Args:
        values: (N,) uncertainty of every pair.
        candidates: (M,) numbers of those that may be kept, ascending.
        keep: certain, those of the lowest values; uncertain, of the highest; random, any. Of equal values, the first number.
        share: of the candidates that is kept.
        name: seeds the draw, so that two controls can be drawn.
    """
    count = max(1, round(share * len(candidates)))
    if keep == "random":
        return np.sort(np.random.default_rng(list(name.encode())).choice(candidates, count, replace=False))
    order = np.argsort(values[candidates] if keep == "certain" else -values[candidates], kind="stable")
    return np.sort(candidates[order[:count]])
