"""Stage: features of sets of sounds, beside those of datasets."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from doppelgangers.analysis.coverage import K, distances, halvings, reach
from doppelgangers.analysis.effect_size import bootstrap_interval, cliffs_delta
from doppelgangers.analysis.feature_units import UNITS
from doppelgangers.errors import UserError
from doppelgangers.files import read_json, replace

HALVINGS = 100
FARTHEST = 3  # of each set, to listen to
DIFFERENCES = [
    "feature",
    "unit",
    "sounds",
    "against",
    "count",
    "count_against",
    "median",
    "median_against",
    "cliff",
    "low",
    "high",
]
REACHED = ["coverage", "coverage_low", "coverage_high", "coverage_back", "coverage_back_low", "coverage_back_high"]
COVERAGE = ["sounds", "against", "k", "count", *REACHED, "density", "precision", "recall"]
EXTREMES = ["sounds", "against", "sound", "of", "distance"]


class FeatureSet(NamedTuple):
    """A set of sounds: its name, its kind, rows of its sounds (N,), one view of each pair, and their features (N, F)."""

    name: str
    kind: str
    rows: np.ndarray
    values: np.ndarray


def compare_features(
    differences: Path, coverage: Path, extremes: Path, *, features: list[Path], sounds: list[Path], resamples: int
) -> None:
    """Compare the features of every set with those of every dataset; a dataset with itself by halves.

    Args:
        differences: .csv to write, a row for each feature and two sets: medians and Cliff's delta, above 0 where `sounds` has
            larger values, with its interval; `count` says how many sounds have the feature.
        coverage: .csv to write, how far two sets reach into each other (`coverage.Reach`), in the space of `standardized`:
            means over `HALVINGS` draws of halves, and the range of 95 percent of them.
        extremes: .csv to write, the sounds that are farthest from every sound of the other set.
        features: .csv of each set, of `measure_features`.
        sounds: sounds.csv of each set, in the same order, with its sounds.json beside it.
        resamples: of a bootstrap.

    Raises:
        UserError: when features and sounds do not belong together.
    """
    sets = [read_features(file, table) for file, table in zip(features, sounds, strict=True)]
    rows: tuple[list, list, list] = ([], [], [])
    for ours, theirs in pairs_of_sets(sets):
        rows[0].extend(compare_values(ours, theirs, resamples))
        points, others = standardized(ours.values, theirs.values), standardized(theirs.values, theirs.values)
        rows[1].append([ours.name, theirs.name, K, *compare_reach(points, None if ours is theirs else others)])
        if ours is not theirs:
            rows[2].extend([ours.name, theirs.name, *farthest] for farthest in find_extremes(ours, theirs, points, others))
    for path, columns, found in zip((differences, coverage, extremes), (DIFFERENCES, COVERAGE, EXTREMES), rows, strict=True):
        with replace(path) as temporary:
            pd.DataFrame(found, columns=columns).to_csv(temporary, index=False, float_format="%.6g")


def read_features(features: Path, sounds: Path) -> FeatureSet:
    """The features of a set, of one view of each pair.

    Raises:
        UserError: when features and sounds do not belong together.
    """
    table = pd.read_csv(sounds, dtype={"clip": str, "view": str}, keep_default_na=False)
    about = read_json(Path(sounds).with_name("sounds.json"))
    values = pd.read_csv(features)
    if values["sound"].tolist() != table["sound"].tolist() or list(values.columns[1:]) != list(UNITS):
        raise UserError(f"{features} does not have the features of the sounds of {sounds}: delete it and run again")
    kept = (table["view"] != "b").to_numpy()
    return FeatureSet(
        about["sounds"], about["kind"], table["sound"].to_numpy()[kept], values[list(UNITS)].to_numpy(float)[kept]
    )


def pairs_of_sets(sets: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Every set beside every dataset, in their order; a dataset beside itself too."""
    return ((ours, theirs) for theirs, ours in itertools.product([s for s in sets if s.kind == "dataset"], sets))


def compare_values(ours: FeatureSet, theirs: FeatureSet, resamples: int) -> Iterator[list]:
    """Rows of differences, a feature each, of the sounds that have it."""
    values, others = ours.values, theirs.values
    if ours is theirs:
        first, second = next(halvings(len(values), None, 1))
        values, others = values[first], others[second]
    for column, (feature, unit) in enumerate(UNITS.items()):
        x, y = (side[np.isfinite(side[:, column]), column] for side in (values, others))
        medians = [np.median(side) if len(side) else np.nan for side in (x, y)]
        interval = bootstrap_interval(cliffs_delta, x, y, resamples=resamples)
        yield [feature, unit, ours.name, theirs.name, len(x), len(y), *medians, cliffs_delta(x, y), *interval]


def standardized(values: np.ndarray, against: np.ndarray) -> np.ndarray:
    """Features (N, F) in units of the standard deviation of `against` (M, F), from its mean.

    Its constant features are left out, and those that fewer than two of its sounds have. A feature that a sound does not have
    is put where the mean is, so that it neither parts nor joins sounds.
    """
    known = np.isfinite(against)
    kept = known.sum(axis=0) >= 2
    mean = masked_mean(against, known)
    deviation = np.sqrt(masked_mean(np.square(against - mean), known))
    kept &= deviation > 0
    return np.nan_to_num((values[:, kept] - mean[kept]) / deviation[kept], nan=0.0)


def masked_mean(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean of the known values (N, F) of each column, (F,); 0 where there are none."""
    return np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def compare_reach(points: np.ndarray, others: np.ndarray | None) -> list:
    """Cells of coverage.csv from `count` on, for points (N, D) beside others (M, D), or beside their own other half."""
    within = distances(points, points)
    within_others, across = (within, within) if others is None else (distances(others, others), distances(points, others))
    found = []
    for ours, theirs in halvings(len(points), None if others is None else len(others), HALVINGS):
        blocks = within[np.ix_(ours, ours)], within_others[np.ix_(theirs, theirs)], across[np.ix_(ours, theirs)]
        found.append(reach(*blocks))
    count = len(ours)
    cells: list[float] = [count]
    for name in ("coverage", "coverage_back"):
        values = [getattr(draw, name) for draw in found]
        cells += [float(np.mean(values)), *np.quantile(values, [0.025, 0.975])]
    return [*cells, *(float(np.mean([getattr(draw, name) for draw in found])) for name in ("density", "precision", "recall"))]


def find_extremes(ours: FeatureSet, theirs: FeatureSet, points: np.ndarray, others: np.ndarray) -> Iterator[list]:
    """Of either set the sounds that are farthest from all sounds of the other one: sound, of, distance; the farthest first."""
    across = distances(points, others)
    for side, nearest in ((ours, across.min(axis=1)), (theirs, across.min(axis=0))):
        for place in np.argsort(-nearest, kind="stable")[:FARTHEST]:
            yield [side.rows[place], side.name, nearest[place]]
