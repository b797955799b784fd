"""Verdicts on claims, from intervals: what is for a claim, what against it, and what is open."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

REPRODUCED, NOT_REPRODUCED, NOT_TESTED = "reproduced", "not reproduced", "not tested at this scale"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One comparison of a claim.

    Attributes:
        name: what is compared, such as a task.
        side: what it says; missing: it is not in the results.
        figures: the numbers, for a reader.
    """

    name: str
    side: Literal["for", "against", "open", "missing"]
    figures: str = ""


def side_of(low: float, high: float, beyond: float = 0.0) -> Literal["for", "against", "open"]:
    """Where an interval lies: above a threshold, at most at it, or on both sides; open too if it is not known."""
    if low > beyond:
        return "for"
    return "against" if high <= beyond else "open"


def decide(outcomes: Sequence[Outcome], need: int, enough: bool) -> tuple[str, str]:
    """A verdict and why.

    Args:
        outcomes: all comparisons of the claim.
        need: how many have to be for it.
        enough: whether the results are of a scale at which an open comparison counts against the claim.
    """
    names = {side: [o.name for o in outcomes if o.side == side] for side in ("for", "against", "open", "missing")}
    count = {side: len(found) for side, found in names.items()}
    told = f"{count['for']} of {len(outcomes)} comparisons are for it, {need} are needed"
    if outcomes and count["for"] >= need:
        return REPRODUCED, told
    if outcomes and count["for"] + count["missing"] + (0 if enough else count["open"]) < need:
        undecided = f"; {count['open']} show no difference" if count["open"] else ""
        return NOT_REPRODUCED, f"{told}{undecided}"
    parts = [f"not there: {', '.join(names['missing'])}"] if names["missing"] else []
    parts += [f"undecided, as the interval includes the threshold: {', '.join(names['open'])}"] if names["open"] else []
    return NOT_TESTED, "; ".join([told, *parts]) if outcomes else "nothing of it is in the results"


def paired_interval(first: pd.DataFrame, second: pd.DataFrame) -> tuple[float, float, float]:
    """Mean difference of two encoders on a task, with its interval of 95 percent.

    With several folds their differences (means over seeds) are paired, with the correction of Nadeau & Bengio (2003) for training
    sets that overlap: variance times 1/n + 1/(n - 1). With one fold it is Welch's interval over seeds.

    Args:
        first, second: columns seed, fold, score, of one task and metric.

    Returns:
        mean, low, high; the last two NaN where there are too few folds or seeds.
    """
    a, b = (rows.groupby("fold").score.mean() for rows in (first, second))
    differences = (a - b).dropna()
    n = len(differences)
    if n > 1:
        half = stdtrit(n - 1, 0.975) * np.sqrt(differences.var(ddof=1) * (1 / n + 1 / (n - 1)))
        return float(differences.mean()), float(differences.mean() - half), float(differences.mean() + half)
    mean = float(first.score.mean() - second.score.mean())
    parts = [(rows.score.var(ddof=1) / len(rows), len(rows) - 1) for rows in (first, second)]
    if min(freedom for _, freedom in parts) < 1 or not (total := sum(part for part, _ in parts)):
        return mean, np.nan, np.nan
    half = stdtrit(total**2 / sum(part**2 / freedom for part, freedom in parts), 0.975) * np.sqrt(total)
    return mean, float(mean - half), float(mean + half)


def select(rows: pd.DataFrame, selector: Mapping[str, list]) -> pd.DataFrame:
    """The rows that have one of the values in each column that is named."""
    for column, values in selector.items():
        if values:
            near = np.isclose(rows[column].to_numpy(float)[:, None], values).any(1) if column == "delta" else rows[column].isin(values)
            rows = rows[near]
    return rows


def lacking(rows: pd.DataFrame, selector: Mapping[str, list]) -> list[str]:
    """Values that a selection names and that no row of it has."""
    found = select(rows, selector)
    return [
        f"{column} {value}"
        for column, values in selector.items()
        for value in values
        if select(found, {column: [value]}).empty
    ]


def best(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the encoder whose mean is largest."""
    return rows[rows.encoder == rows.groupby("encoder").score.mean().idxmax()]


def compare_scores(scores: pd.DataFrame, test: Mapping[str, Any], tasks: Sequence[str]) -> list[Outcome]:
    """Compare the best encoders of two selections on each task; scores in percent, of primary metrics only."""
    outcomes = []
    for task in tasks:
        rows = scores[scores.task == task]
        missing = [*lacking(rows, test["better"]), *lacking(rows, test["than"])]
        if rows.empty or missing:
            outcomes.append(Outcome(task if rows.empty else f"{task} ({', '.join(dict.fromkeys(missing))})", "missing"))
            continue
        first, second = best(select(rows, test["better"])), best(select(rows, test["than"]))
        mean, low, high = paired_interval(first, second)
        names = f"{first.encoder.iloc[0]} - {second.encoder.iloc[0]}"
        outcomes.append(Outcome(task, side_of(low, high), f"{task} {mean:+.1f} [{low:.1f}, {high:.1f}] ({names})"))
    return outcomes


def compare_sounds(rows: pd.DataFrame, test: Mapping[str, Any], tasks: Sequence[str]) -> list[Outcome]:
    """Compare Cliff's deltas with a threshold, on its own side for uncertainty, on either side for features."""
    rows = rows[rows.sounds.isin(test["sounds"])]
    kept = rows[rows.against.isin(tasks)]
    outcomes = []
    for row in kept.to_dict("records"):
        low, high, name = row["low"], row["high"], f"{row['sounds']} against {row['against']}"
        if test["by"] == "features":
            name = f"{row['feature']} against {row['against']}"
            low, high = (-high, -low) if row["cliff"] < 0 else (low, high)
        outcomes.append(Outcome(name, side_of(low, high, test["beyond"]), f"{name} {row['cliff']:+.2f} [{row['low']:.2f}, {row['high']:.2f}]"))
    there = ", ".join(sorted(set(rows.against)))
    if rows.empty:
        return [Outcome(f"the sounds {', '.join(test['sounds'])}", "missing")]
    return outcomes or [Outcome(f"sounds of the paper's tasks (only {there})", "missing")]


def compare_distances(rows: pd.DataFrame, test: Mapping[str, Any], tasks: Sequence[str], column: str) -> list[Outcome]:
    """Compare the distances of two kinds of sets to the sounds of each task; smaller is for the claim; they have no interval."""
    outcomes = []
    for task in tasks:
        to_task = rows[rows.against == task].dropna(subset=[column])
        ours, theirs = (to_task[to_task.sounds.isin(test[key])][column] for key in ("sounds", "than"))
        if ours.empty or theirs.empty:
            outcomes.append(Outcome(f"{task} ({', '.join(test['sounds' if ours.empty else 'than'])})", "missing"))
        else:
            nearer = ours.min() < theirs.min()
            outcomes.append(Outcome(task, "for" if nearer else "against", f"{task} {ours.min():.2f} against {theirs.min():.2f}"))
    return outcomes


def compare_similarity(rows: pd.DataFrame, test: Mapping[str, Any], column: str) -> list[Outcome]:
    """Compare each delta with the next: for the claim, if intervals lie apart and fall."""
    rows = rows[rows.architecture == test["architecture"]].set_index(rows.delta.astype(float))
    outcomes = []
    for name, following in zip(test["deltas"], test["deltas"][1:], strict=False):
        step = f"δ {name} to {following}"
        if not {float(name), float(following)} <= set(rows.index):
            outcomes.append(Outcome(step, "missing"))
            continue
        a, b = rows.loc[float(name)], rows.loc[float(following)]
        low, high = a[f"{column}_low"] - b[f"{column}_high"], a[f"{column}_high"] - b[f"{column}_low"]
        outcomes.append(Outcome(step, side_of(low, high), f"{step}: {a[column]:.2f} to {b[column]:.2f}"))
    return outcomes
