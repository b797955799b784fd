"""Stage: what listeners' ratings say of delta; whose ratings count."""

from pathlib import Path

import numpy as np
import pandas as pd

from doppelgangers.analysis.effect_size import bootstrap_interval
from doppelgangers.analysis.exports import read_ratings
from doppelgangers.files import replace

# A listener who misses more than one catch trial is excluded. One who presses keys at random misses fewer in 2.3 of 100 cases:
# 2 of 7 answers are right for identical sounds, 3 of 7 for unrelated ones, of which there are three each.
ALIKE, APART = 2 / 7, 3 / 7  # shares of the scale, from its ends
MISSES = 1
LEVEL_Z = 1.959964  # of a normal interval of 95 percent
ALL = "all"


def analyse_ratings(
    ratings: Path, by_delta: Path, *, folder: Path, key: Path, similarity: Path, tagger: str, resamples: int
) -> None:
    """Relate ratings to delta, for each rater and over all, and put them beside a model's similarity.

    Args:
        ratings: table to write, a row for each rater and a last one, `all`: rater, kept, reason (why not), trials (that are
            neither catch trials nor repeats), rho (Spearman's, of rating with delta; below 0: the larger delta, the less
            alike), low, high (95 percent), repeats, repeat_difference (mean, in points, between the two ratings of a pair),
            repeat_rho, headphones (share of rounds that were right).
        by_delta: table to write: delta, ratings, mean, low, high (95 percent), cosine_centred (of the tagger).
        folder: files that raters have handed in.
        key: of the page.
        similarity: similarity.csv.
        tagger: whose similarities are taken.
        resamples: of the bootstrap.

    Raises:
        UserError: when a file cannot be taken.
    """
    table, answers = read_ratings(folder, key)
    asked = [facts for facts in answers["trials"].values() if facts["kind"] != "practice"]
    reasons = {rater: why_not(rows, len(asked), answers["scale"]) for rater, rows in table.groupby("rater")}
    kept = table[table["rater"].map(reasons) == ""]
    rows = [row_of(str(rater), reasons[rater], rows) for rater, rows in table.groupby("rater")]
    cube, deltas = as_cube(kept)
    rows.append({**pooled_row(cube, deltas, resamples, len(reasons)), **repeat_facts(kept)})
    with replace(ratings) as temporary:
        pd.DataFrame(rows).round(4).to_csv(temporary, index=False)
    known = pd.read_csv(similarity, dtype={"delta": str})
    known = known[(known["tagger"] == tagger) & (known["architecture"] == answers["architecture"])]
    cosines = dict(zip(map(float, known["delta"]), known["centred"], strict=True))
    with replace(by_delta) as temporary:
        summary = [
            {**row, "cosine_centred": cosines.get(delta)}
            for delta, row in zip(deltas, means(cube, deltas, resamples), strict=True)
        ]
        pd.DataFrame(summary, columns=["delta", "ratings", "mean", "low", "high", "cosine_centred"]).round(4).to_csv(
            temporary, index=False
        )


def why_not(rows: pd.DataFrame, asked: int, scale: tuple[int, int]) -> str:
    """Why a rater's ratings do not count; empty if they do.

    Args:
        rows: of one rater: kind, rating.
        asked: number of trials of the page.
        scale: lowest and highest rating.
    """
    if len(rows) < asked:
        return f"{len(rows)} of {asked} pairs rated"
    size = scale[1] - scale[0] + 1
    low, high = scale[0] - 1 + round(APART * size), scale[1] + 1 - round(ALIKE * size)
    identical = int((rows.loc[rows["kind"] == "identical", "rating"] < high).sum())
    unrelated = int((rows.loc[rows["kind"] == "unrelated", "rating"] > low).sum())
    if identical + unrelated <= MISSES:
        return ""
    return f"catch trials: {identical} identical rated below {high}, {unrelated} unrelated above {low}"


def row_of(rater: str, reason: str, rows: pd.DataFrame) -> dict[str, object]:
    """What the table says of a rater."""
    rated = rows[rows["kind"] == "rated"]
    rho = float(spearman(rated["rating"].to_numpy(float), rated["delta"].to_numpy(float)))
    low, high = spearman_interval(rho, len(rated))
    return {
        "rater": rater,
        "kept": reason == "",
        "reason": reason,
        "trials": len(rated),
        "rho": rho,
        "low": low,
        "high": high,
        **repeat_facts(rows),
    }


def pooled_row(cube: np.ndarray, deltas: np.ndarray, resamples: int, raters: int) -> dict[str, object]:
    """What the table says of all raters that are kept: the mean of their correlations.

    Both raters and pairs are drawn anew, since either could have been others.
    """

    def mean_rho(who: np.ndarray, what: np.ndarray) -> float:
        drawn = cube[np.ix_(who, what)].reshape(len(who), -1)
        return float(spearman(drawn, np.tile(deltas, len(what)), constant=0.0).mean())

    kept, pairs = np.arange(cube.shape[0]), np.arange(cube.shape[1])
    low, high = bootstrap_interval(mean_rho, kept, pairs, resamples=resamples)
    rho = mean_rho(kept, pairs) if len(kept) else float("nan")
    reason = f"{len(kept)} of {raters} raters kept"
    return {"rater": ALL, "kept": len(kept) > 0, "reason": reason, "trials": cube.size, "rho": rho, "low": low, "high": high}


def means(cube: np.ndarray, deltas: np.ndarray, resamples: int) -> list[dict[str, object]]:
    """Mean rating at each delta; raters and pairs are drawn anew for the interval."""
    kept, pairs = np.arange(cube.shape[0]), np.arange(cube.shape[1])
    rows = []
    for column, delta in enumerate(deltas):
        part = cube[:, :, column]
        low, high = bootstrap_interval(
            lambda who, what, part=part: part[np.ix_(who, what)].mean(), kept, pairs, resamples=resamples
        )
        rows.append({"delta": f"{delta:g}", "ratings": part.size, "mean": part.mean(), "low": low, "high": high})
    return rows


def as_cube(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ratings (raters, pairs, deltas) of those who rated all, and the deltas, which rise."""
    rated = table[table["kind"] == "rated"]
    rated = rated.assign(delta=rated["delta"].astype(float)).sort_values(["rater", "pair", "delta"])
    deltas = np.sort(rated["delta"].unique())
    shape = (rated["rater"].nunique(), rated["pair"].nunique(), len(deltas))
    return rated["rating"].to_numpy(float).reshape(shape), deltas


def repeat_facts(table: pd.DataFrame) -> dict[str, float]:
    """How well ratings of the same pair by the same rater agree, and how the headphone checks went."""
    on = ["rater", "delta", "pair"]
    again = table[table["kind"] == "repeat"].merge(table[table["kind"] == "rated"], on=on, suffixes=("", "_first"))
    second, first = again["rating"].to_numpy(float), again["rating_first"].to_numpy(float)
    raters = table.drop_duplicates("rater")
    return {
        "repeats": len(again),
        "repeat_difference": float(np.abs(first - second).mean()) if len(again) else float("nan"),
        "repeat_rho": float(spearman(first, second)),
        "headphones": float((raters["headphones_right"] / raters["headphones_of"]).mean()),
    }


def spearman(x: np.ndarray, y: np.ndarray, constant: float = float("nan")) -> np.ndarray:
    """Spearman's rank correlation of each row of x (..., N) with y (N,), with mean ranks for ties.

    Args:
        x, y: values.
        constant: what it is where all values are the same, which has no correlation.
    """
    ranks = [centred_ranks(np.atleast_2d(values)) for values in (x, y)]
    norm = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    products = (ranks[0] * ranks[1]).sum(axis=1)
    return np.divide(products, norm, out=np.full(len(norm), constant), where=norm > 0).reshape(x.shape[:-1])


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks within each row of (M, N), less their mean."""
    return pd.DataFrame(values).rank(axis=1).to_numpy() - (values.shape[1] + 1) / 2


def spearman_interval(rho: float, count: int) -> tuple[float, float]:
    """Interval of 95 percent of a rank correlation, of more than 3 values (Bonett and Wright 2000, doi:10.1007/BF02294183)."""
    if count <= 3 or np.isnan(rho):
        return float("nan"), float("nan")
    if abs(rho) >= 1:
        return rho, rho
    half = LEVEL_Z * np.sqrt((1 + rho**2 / 2) / (count - 3))
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))
