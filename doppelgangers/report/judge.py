"""Stage: judge the paper's claims by the results."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgangers.encoders.card import Card, read_card
from doppelgangers.evaluation.comparisons import read_scores
from doppelgangers.files import replace
from doppelgangers.report.evidence import Evidence, Results, evidence
from doppelgangers.report.verdicts import decide

COLUMNS = ["claim", "text", "tagger", "definition", "verdict", "why", "figures"]
SHOWN = 12  # comparisons whose figures are written out


def judge_claims(
    verdicts: Path,
    *,
    claims: dict[str, Any],
    metrics: dict[str, str],
    resamples: int,
    scores: Path,
    cards: list[Path],
    histories: list[Path],
    uncertainty: Path,
    uncertainty_differences: Path,
    feature_differences: Path,
    distances: Path,
    similarity: Path,
) -> None:
    """Write claims.csv: a row for each claim, and for each tagger and definition where it depends on them.

    Args:
        verdicts: csv to write.
        claims: `tasks` and `claims` of `claims.load_claims`.
        metrics: task -> its primary metric.
        resamples: of a bootstrap.
        scores: scores.csv.
        cards: encoder.json of every encoder setting and seed.
        histories: history.csv of every training; its folder's parent is named like the encoder.
        uncertainty, uncertainty_differences: of `measure_uncertainty`.
        feature_differences: of `compare_features`.
        distances: of `measure_distances`.
        similarity: of `measure_similarity`.
    """
    known = {card.encoder: card for card in map(read_card, cards)}
    results = Results(
        scores=read_scores(scores, metrics),
        cards=known,
        waiting=read_waiting(histories, known),
        counts=read(uncertainty),
        uncertainty=read(uncertainty_differences),
        features=read(feature_differences),
        distances=read(distances),
        similarity=read(similarity),
        resamples=resamples,
    )
    found = [row for claim in claims["claims"] for row in judge(claim, results, claims["tasks"])]
    with replace(verdicts) as temporary:
        pd.DataFrame(found, columns=COLUMNS).to_csv(temporary, index=False)


def read(path: Path) -> pd.DataFrame:
    """A table whose names of sets stay names, even those that look like a missing value."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"sounds": str, "against": str})


def read_waiting(histories: list[Path], cards: dict[str, Card]) -> dict[str, float]:
    """Encoder trained on a stream -> mean share of the time that its trainings waited for pairs."""
    shares: dict[str, list[float]] = {}
    for path in histories:
        name = Path(path).parent.parent.name
        if cards[name].settings.get("pairs_from") == "stream":
            shares.setdefault(name, []).append(float(pd.read_csv(path)["wait_share"].mean()))
    return {name: sum(found) / len(found) for name, found in shares.items()}


def judge(claim: dict[str, Any], results: Results, tasks: list[str]) -> Iterator[dict[str, str]]:
    """The rows of a claim; one of which nothing is in the results has a row that says so."""
    for tagger, definition, outcomes in list(evidence(claim, results, tasks)) or [Evidence("", "", [])]:
        at_least = claim["test"].get("at_least", len(outcomes))
        need = at_least if isinstance(at_least, int) else math.ceil(at_least * len(outcomes))
        verdict, why = decide(outcomes, max(1, need))
        said_with = claim["test"].get("said_with", "")
        if tagger and said_with and tagger != said_with:
            why = f"{why}; the paper has {said_with}"
        figures = [outcome.figures for outcome in outcomes if outcome.figures]
        more = f"; and {len(figures) - SHOWN} more" if len(figures) > SHOWN else ""
        told = {"claim": claim["id"], "text": claim["text"], "tagger": tagger, "definition": definition}
        yield {**told, "verdict": verdict, "why": why, "figures": "; ".join(figures[:SHOWN]) + more}
