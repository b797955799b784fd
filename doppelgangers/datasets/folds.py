"""HEAR 2021's recipes for folds and for its subsample of NSynth, so that the original archives give the same clips."""

import hashlib
import random

import numpy as np
import pandas as pd

from doppelgangers.errors import UserError

SEEDS = ("split_k_folds", *(f"split_k_folds_retry_{retry}" for retry in range(999)))


def hear_folds(stems: pd.Series, count: int, labels: pd.Series | None = None) -> pd.Series:
    """Folds by hear-preprocess 2021.1.1 (`ExtractMetadata.split_k_folds`).

    The sorted stems are shuffled and cut into `count` parts, with one seed after another until every part has every label.

    Args:
        stems: (N,) rows with the same stem are in the same fold; in HEAR, file names without their extension.
        count: number of folds.
        labels: (N,) every fold must have each of them; None to take the first shuffle.

    Returns:
        (N,) fold of each row, from 1 to `count`; the index is that of `stems`.

    Raises:
        UserError: when no seed gives such folds.
    """
    if labels is None:
        return shuffled_folds(stems, count, SEEDS[0])
    for seed in SEEDS:
        folds = shuffled_folds(stems, count, seed)
        held = labels.groupby(folds).nunique()
        if len(held) == count and (held == labels.nunique()).all():
            return folds
    rarest = labels.value_counts().index[-1]
    raise UserError(
        f"the {len(labels)} clips cannot be cut into {count} folds that each have all {labels.nunique()} labels; "
        f"{rarest} is the label of {(labels == rarest).sum()} clips"
    )


def shuffled_folds(stems: pd.Series, count: int, seed: str) -> pd.Series:
    """Fold (N,) of each row, by one shuffle."""
    names = sorted(stems.unique())
    random.Random(seed).shuffle(names)
    parts = np.array_split(names, count)
    return stems.map({name: fold for fold, part in enumerate(parts, 1) for name in part.tolist()})


def subsample(stems: list[str], split: str, count: int) -> list[str]:
    """At most `count` of the stems of a split, by hear-preprocess 2021.1.1 (`SubsampleSplit`), as pandas shuffles them."""
    return pd.Series(sorted(stems)).sample(frac=1, random_state=subsample_seed(split)).tolist()[:count]


def subsample_seed(split: str) -> int:
    """Seed of that shuffle, for train, valid or test."""
    return int(hashlib.sha1(f"SubsampleSplit({split})".encode()).hexdigest(), 16) % (2**32 - 1)
