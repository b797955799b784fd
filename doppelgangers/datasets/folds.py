"""How HEAR 2021 draws its folds and its subsample of NSynth, so that the original archives give the same clips."""

import hashlib
import random

import numpy as np
import pandas as pd

from doppelgangers.errors import UserError

SEEDS = ("split_k_folds", *(f"split_k_folds_retry_{retry}" for retry in range(999)))


def hear_folds(stems: pd.Series, count: int, labels: pd.Series | None = None) -> pd.Series:
    """Folds by hear-preprocess 2021.1.1 (`ExtractMetadata.split_k_folds`).

    The sorted stems are shuffled and cut into `count` parts, anew with the next seed until every part has every label.

    Args:
        stems: (N,) what is kept together; file names without their extension, in HEAR.
        count: of folds.
        labels: (N,) of which every fold must hold each; None to take the first shuffle.

    Returns:
        (N,) fold of each row, from 1 to `count`; the index is that of `stems`.

    Raises:
        UserError: when no seed does it.
    """
    names = sorted(stems.unique())
    for seed in SEEDS:
        shuffled = names.copy()
        random.Random(seed).shuffle(shuffled)
        parts = np.array_split(shuffled, count)
        folds = stems.map({name: fold for fold, part in enumerate(parts, 1) for name in part.tolist()})
        if labels is None:
            return folds
        held = labels.groupby(folds).nunique()
        if len(held) == count and (held == labels.nunique()).all():
            return folds
    rarest = labels.value_counts().index[-1]
    raise UserError(
        f"the {len(labels)} clips cannot be cut into {count} folds that all have all {labels.nunique()} labels; "
        f"{rarest} is that of {(labels == rarest).sum()} clips"
    )


def subsample(stems: list[str], split: str, count: int) -> list[str]:
    """At most `count` of the stems of a split, by hear-preprocess 2021.1.1 (`SubsampleSplit`), as pandas shuffles them."""
    return pd.Series(sorted(stems)).sample(frac=1, random_state=subsample_seed(split)).tolist()[:count]


def subsample_seed(split: str) -> int:
    """What that shuffle is seeded with, for train, valid or test."""
    return int(hashlib.sha1(f"SubsampleSplit({split})".encode()).hexdigest(), 16) % (2**32 - 1)
