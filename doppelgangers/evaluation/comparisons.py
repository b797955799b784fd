"""Stage: how far every encoder lies above or below those that it is held against, and how sure that is."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from doppelgangers.files import replace

COLUMNS = ["task", "metric", "encoder", "against", "difference", "low", "high", "verdict"]
COLUMNS += ["folds", "seeds", "seeds_against"]
LEVEL = 0.95
DIGITS = 2


@dataclasses.dataclass(frozen=True)
class Difference:
    """A mean difference of scores, its interval of 95 percent, and what it rests on.

    Attributes:
        mean: in the unit of the scores.
        low, high: NaN where there is too little to tell.
        folds: that both have, and that are paired.
        seeds, seeds_against: of the first and of the second encoder.
    """

    mean: float
    low: float
    high: float
    folds: int
    seeds: int
    seeds_against: int

    def verdict(self) -> str:
        """better or worse, where the interval leaves 0 out; else undecided."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "undecided"


def compare_scores(comparisons: Path, *, scores: Path, metrics: dict[str, str], against: Sequence[str], resamples: int) -> None:
    """Write comparisons.csv: each encoder less each of those that it is held against, on each task, in percent.

    Args:
        comparisons: csv to write.
        scores: scores.csv.
        metrics: task -> its primary metric.
        against: encoders that others are held against.
        resamples: of the bootstrap.
    """
    rows = read_scores(scores, metrics)
    found = []
    for task, of_task in rows.groupby("task", sort=False):
        encoders = dict(list(of_task.groupby("encoder", sort=False)))
        for reference in against:
            for encoder in encoders:
                if reference in encoders and encoder != reference:
                    difference = paired_difference(encoders[encoder], encoders[reference], resamples=resamples)
                    facts = {"task": task, "metric": metrics[str(task)], "encoder": encoder, "against": reference}
                    numbers = {name: round(getattr(difference, name), DIGITS) for name in ("low", "high")}
                    facts |= {**dataclasses.asdict(difference), **numbers, "difference": round(difference.mean, DIGITS)}
                    found.append({**facts, "verdict": difference.verdict()})
    with replace(comparisons) as temporary:
        pd.DataFrame(found, columns=COLUMNS).to_csv(temporary, index=False)


def read_scores(scores: Path, metrics: dict[str, str]) -> pd.DataFrame:
    """The rows of scores.csv that are of the primary metrics, scores in percent; identity is text, empty where it has none."""
    rows = pd.read_csv(
        scores, keep_default_na=False, na_values={"score": [""]}, dtype={"fold": str, "delta": str, "pairs": str}
    )
    rows = rows[rows["metric"] == rows["task"].map(metrics)]
    return rows.assign(score=100 * rows["score"])


def paired_difference(first: pd.DataFrame, second: pd.DataFrame, *, resamples: int, seed: int = 0) -> Difference:
    """Mean score of an encoder less that of another on a task, by a bootstrap over folds and seeds.

    Folds are drawn with replacement, the same for both (they have the same clips); seeds of either encoder by themselves.
    The percentiles are moved away from the mean by t √(n / (n - 1)) / z, since those of few units lie too near
    (Hesterberg 2015, The American Statistician 69, 371-386): n is the least number of folds or seeds above 1, t the
    quantile of Student with n - 1 degrees of freedom and z that of the normal distribution. With one fold only, both encoders
    need two seeds. Folds share clips that probes are trained on, which this does not allow for.

    Args:
        first, second: columns seed, fold, score, of one task and metric.
        resamples: how often is drawn.
        seed: the same seed gives the same interval.
    """
    a, b = (rows.pivot_table(index="fold", columns="seed", values="score", dropna=False) for rows in (first, second))
    folds = [fold for fold in a.index if fold in b.index]
    counts = len(folds), a.shape[1], b.shape[1]
    if not folds:
        return Difference(float(first["score"].mean() - second["score"].mean()), np.nan, np.nan, *counts)
    x, y = a.loc[folds].to_numpy(float), b.loc[folds].to_numpy(float)
    mean = float(x.mean() - y.mean())
    units = counts if len(folds) == 1 else [count for count in counts if count > 1]
    n = min(units[1:] if len(folds) == 1 else units)
    if n < 2 or not np.isfinite(mean):
        return Difference(mean, np.nan, np.nan, *counts)
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(folds), size=(resamples, len(folds), 1))
    of_x, of_y = (rng.integers(part.shape[1], size=(resamples, 1, part.shape[1])) for part in (x, y))
    drawn = x[rows, of_x].mean(axis=(1, 2)) - y[rows, of_y].mean(axis=(1, 2))
    tails = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    upper = (1 + LEVEL) / 2
    stretch = stdtrit(n - 1, upper) * np.sqrt(n / (n - 1)) / ndtri(upper)
    low, high = mean + stretch * (tails - mean)
    return Difference(mean, float(low), float(high), *counts)
