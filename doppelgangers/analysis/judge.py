"""Stage: judge the paper's claims by the results."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgangers.analysis.verdicts import (
    NOT_TESTED,
    Outcome,
    compare_distances,
    compare_scores,
    compare_similarity,
    compare_sounds,
    decide,
)
from doppelgangers.files import replace

COLUMNS = ["claim", "text", "tagger", "definition", "verdict", "why", "figures"]
SHOWN = 12  # comparisons whose figures are written out


def judge_claims(
    verdicts: Path,
    *,
    claims: dict[str, Any],
    metrics: dict[str, str],
    width: float,
    scores: Path,
    uncertainty: Path,
    uncertainty_differences: Path,
    feature_differences: Path,
    distances: Path,
    similarity: Path,
) -> None:
    """Write claims.csv: a row for each claim, and for each tagger and definition where it depends on them.

    Args:
        verdicts: csv to write.
        claims: of `claims.load_claims`.
        metrics: task -> its primary metric.
        width: of the encoders that are trained here.
        scores: scores.csv.
        uncertainty, uncertainty_differences: of `measure_uncertainty`.
        feature_differences: of `compare_features`.
        distances: of `measure_distances`.
        similarity: of `measure_similarity`.
    """
    rows = pd.read_csv(scores, keep_default_na=False, na_values={"delta": [""], "pairs": [""]}, dtype={"fold": str})
    rows = rows[rows.metric == rows.task.map(metrics)]
    tables = {
        "scores": rows.assign(score=100 * rows.score),
        "counts": pd.read_csv(uncertainty),
        "uncertainty": pd.read_csv(uncertainty_differences),
        "features": pd.read_csv(feature_differences),
        "distances": pd.read_csv(distances),
        "similarity": pd.read_csv(similarity),
    }
    found = [row for claim in claims["claims"] for row in judge(claim, tables, claims["tasks"], width)]
    with replace(verdicts) as temporary:
        pd.DataFrame(found, columns=COLUMNS).to_csv(temporary, index=False)


def judge(claim: dict[str, Any], tables: Mapping[str, pd.DataFrame], tasks: list[str], width: float) -> Iterator[dict[str, str]]:
    """The rows of a claim."""
    scale = scale_of(claim, tables, width)
    short = [f"{name} {number(scale[name])}, needed {number(need)}" for name, need in claim["needs"].items() if scale[name] < need]
    enough = all(scale[name] >= need for name, need in claim["enough"].items())
    for tagger, definition, outcomes in comparisons(claim["test"], tables, tasks):
        at_least = claim["test"].get("at_least", len(outcomes))
        need = at_least if isinstance(at_least, int) else max(1, -int(-at_least * len(outcomes) // 1))
        verdict, why = decide(outcomes, need, enough)
        if short:
            verdict, why = NOT_TESTED, "; ".join(short)
        figures = [outcome.figures for outcome in outcomes if outcome.figures]
        more = f"; and {len(figures) - SHOWN} more" if len(figures) > SHOWN else ""
        told = {"claim": claim["id"], "text": claim["text"], "tagger": tagger, "definition": definition}
        yield {**told, "verdict": verdict, "why": why, "figures": "; ".join(figures[:SHOWN]) + more}


def scale_of(claim: dict[str, Any], tables: Mapping[str, pd.DataFrame], width: float) -> dict[str, float]:
    """Of the results: pairs that each encoder trained on doppelgängers saw, its width, sounds of the synthetic sets."""
    trained = tables["scores"].loc[tables["scores"].source == "synthetic", "pairs"].astype(float)
    by = claim["test"]["by"]
    counts = tables["similarity"].pairs if by == "similarity" else tables["counts"].query("kind == 'synthetic'")["count"]
    return {"pairs": trained.min() if len(trained) else 0, "width": width, "sounds": counts.min() if len(counts) else 0}


def number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def comparisons(
    test: dict[str, Any], tables: Mapping[str, pd.DataFrame], tasks: list[str]
) -> Iterator[tuple[str, str, list[Outcome]]]:
    """Tagger, definition and comparisons of each verdict that a test gives; the first two empty where it has no such thing."""
    rows = tables[test["by"]]
    if test["by"] == "scores":
        yield "", "", compare_scores(rows, test, tasks)
    elif test["by"] == "features":
        yield "", "", compare_sounds(rows, test, tasks)
    elif test["by"] == "uncertainty":
        for (tagger, definition), part in rows.groupby(["tagger", "definition"], sort=False):
            yield tagger, definition, compare_sounds(part, test, tasks)
    elif test["by"] == "distances":
        for embedding, part in rows.groupby("embedding", sort=False):
            for column in ("fad", "kad"):
                yield embedding, column, compare_distances(part, test, tasks, column)
    else:
        for tagger, part in rows.groupby("tagger", sort=False):
            for column in ("centred", "cosine"):
                yield tagger, column, compare_similarity(part, test, column)
