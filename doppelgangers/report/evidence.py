"""What the tables of results say of a claim: a list of comparisons for each tagger and definition that it has."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from doppelgangers.encoders.card import Card
from doppelgangers.evaluation.comparisons import paired_difference
from doppelgangers.report.verdicts import Outcome, side_of, within


class Evidence(NamedTuple):
    """Comparisons of a claim, by a tagger (or an embedding) and a definition; both empty where it depends on neither."""

    tagger: str
    definition: str
    outcomes: list[Outcome]


class Results(NamedTuple):
    """Tables of results.

    Attributes:
        scores: rows of the primary metrics, in percent (`comparisons.read_scores`).
        cards: of all encoders, by name; those of several seeds are alike in what is asked of them.
        waiting: for each encoder trained on a stream, the mean share of its time that it waited for pairs.
        counts, uncertainty, features, distances, similarity: as the stages of the analysis write them.
        resamples: of a bootstrap.
    """

    scores: pd.DataFrame
    cards: dict[str, Card]
    waiting: dict[str, float]
    counts: pd.DataFrame
    uncertainty: pd.DataFrame
    features: pd.DataFrame
    distances: pd.DataFrame
    similarity: pd.DataFrame
    resamples: int


def evidence(claim: Mapping[str, Any], results: Results, tasks: Sequence[str]) -> Iterator[Evidence]:
    """All evidence on a claim of configs/claims.yaml; for one that depends on a tagger, once for each that there is."""
    test, by = claim["test"], claim["test"]["by"]
    if by == "scores":
        yield Evidence("", "", [compare_scores(claim, results, task) for task in tasks])
    elif by == "waiting":
        yield Evidence("", "", list(compare_waiting(claim, results)))
    elif by == "features":
        yield Evidence("", "", list(compare_sounds(claim, results.features, tasks)))
    elif by == "uncertainty":
        keys = ["tagger", "definition"]
        rows = results.uncertainty.merge(results.counts[[*keys, "sounds", "count"]], "left", [*keys, "sounds"])
        for (tagger, definition), part in rows.groupby(keys, sort=False):
            yield Evidence(str(tagger), str(definition), list(compare_sounds(claim, part, tasks)))
    elif by == "distances":
        for embedding, part in results.distances.groupby("embedding", sort=False):
            for column in ("fad", "kad"):
                yield Evidence(str(embedding), column, [compare_distances(claim, part, task, column) for task in tasks])
    else:
        rows = results.similarity[results.similarity["architecture"] == test["architecture"]]
        for tagger, part in rows.groupby("tagger", sort=False):
            for column in ("centred", "cosine"):
                yield Evidence(str(tagger), column, list(compare_similarity(claim, part, column)))


def lacking(claim: Mapping[str, Any], **scale: float | None) -> str:
    """What a comparison lacks of the scale that the claim needs, such as "pairs 512 of 8,000,000"; empty: nothing."""
    short = []
    for name, found in scale.items():
        need = claim["needs"][name]
        if need and found is None:
            short.append(f"{name} not known")
        elif need and found is not None and found < need:
            short.append(f"{name} {written(found)} of {written(need)}")
    return ", ".join(short)


def written(number: float) -> str:
    """A number with all its digits."""
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


def enough(claim: Mapping[str, Any], **scale: float) -> bool:
    """Whether a scale is one from which on an open comparison counts; a claim that names none has none."""
    asked = {name: claim["enough"][name] for name in scale if claim["enough"][name]}
    return bool(asked) and all(scale[name] >= need for name, need in asked.items())


def select(rows: pd.DataFrame, selector: Mapping[str, list]) -> pd.DataFrame:
    """The rows that have one of the values in each column that is named."""
    for column, values in selector.items():
        if values:
            own = pd.to_numeric(rows[column], errors="coerce").isin(values) if column == "delta" else rows[column].isin(values)
            rows = rows[own]
    return rows


def absent(rows: pd.DataFrame, selector: Mapping[str, list]) -> list[str]:
    """Values that a selection names and that no row of it has."""
    found = select(rows, selector)
    named = [(column, value) for column, values in selector.items() for value in values]
    return [f"{column} {value}" for column, value in named if select(found, {column: [value]}).empty]


def best(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows of the encoder whose mean is largest, and how it was chosen: on the very scores that it is judged by."""
    means = rows.groupby("encoder")["score"].mean()
    name = str(means.idxmax())
    return rows[rows["encoder"] == name], f"{name}, the best of {len(means)}" if len(means) > 1 else name


def compare_scores(claim: Mapping[str, Any], results: Results, task: str) -> Outcome:
    """The best encoders of two selections on a task."""
    test, rows = claim["test"], results.scores[results.scores["task"] == task]
    missing = list(dict.fromkeys([*absent(rows, test["better"]), *absent(rows, test["than"])]))
    if rows.empty or missing:
        return Outcome(task if rows.empty else f"{task} ({', '.join(missing)})", "missing")
    (first, ours), (second, theirs) = best(select(rows, test["better"])), best(select(rows, test["than"]))
    short = []
    for part in (first, second):
        card = results.cards[str(part["encoder"].iloc[0])]
        scale = {"width": card.width} if card.source == "random_init" else {"pairs": card.pairs, "width": card.width}
        short += [f"{card.encoder}: {text}"] if (text := lacking(claim, **scale)) else []
    difference = paired_difference(first, second, resamples=results.resamples)
    mean, low, high = difference.mean, difference.low, difference.high
    figures = f"{task} {mean:+.1f} [{low:.1f}, {high:.1f}] ({ours}, less {theirs})"
    if short:
        return Outcome(f"{task} ({', '.join(short)})", "missing", figures)
    side = within(low, high, test["within"]) if test["within"] else side_of(low, high)
    return Outcome(task, side, figures)


def compare_waiting(claim: Mapping[str, Any], results: Results) -> Iterator[Outcome]:
    """Each encoder that was trained on a stream. A time is measured and not drawn, so that it has no interval."""
    for name, share in results.waiting.items():
        card, figures = results.cards[name], f"{name} {share:.1%}"
        if short := lacking(claim, pairs=card.pairs, width=card.width):
            yield Outcome(f"{name}: {short}", "missing", figures)
        else:
            yield Outcome(name, "for" if share <= claim["test"]["at_most"] else "against", figures)


def compare_sounds(claim: Mapping[str, Any], rows: pd.DataFrame, tasks: Sequence[str]) -> Iterator[Outcome]:
    """Cliff's deltas beyond a threshold: on the upper side for uncertainty, on either side for features."""
    test = claim["test"]
    features = list(dict.fromkeys(rows["feature"])) if test["by"] == "features" else [""]
    for sounds in test["sounds"]:
        for task in tasks:
            found = rows[(rows["sounds"] == sounds) & (rows["against"] == task)]
            if found.empty:
                yield from [Outcome(f"sounds of {task}", "missing")] * len(features)
            for row in found.to_dict("records"):
                low, high = row["low"], row["high"]
                if test["by"] == "features" and row["cliff"] < 0:
                    low, high = -high, -low
                name = f"{row.get('feature', '')} of {sounds} against {task}".removeprefix(" of ")
                figures = f"{name} {row['cliff']:+.2f} [{row['low']:.2f}, {row['high']:.2f}]"
                short = lacking(claim, sounds=row["count"])
                side = "missing" if short else side_of(low, high, test["beyond"])
                yield Outcome(f"{name} ({short})" if short else name, side, figures, enough(claim, sounds=row["count"]))


def compare_distances(claim: Mapping[str, Any], rows: pd.DataFrame, task: str, column: str) -> Outcome:
    """The nearest sets of either kind to the sounds of a task: smaller is for the claim, if the draws lie apart."""
    test, to_task = claim["test"], rows[rows["against"] == task].dropna(subset=[column])
    if to_task.empty:
        return Outcome(f"sounds of {task}", "missing")
    sides = [to_task[to_task["sounds"].isin(test[key])].sort_values(column).head(1) for key in ("sounds", "than")]
    if missing := [", ".join(test[key]) for key, side in zip(("sounds", "than"), sides, strict=True) if side.empty]:
        return Outcome(f"{task} ({'; '.join(missing)})", "missing")
    ours, theirs = (side.iloc[0] for side in sides)
    figures = f"{task}: {ours['sounds']} {ours[column]:.2f}, {theirs['sounds']} {theirs[column]:.2f}"
    count = min(ours["count"], theirs["count"])
    if short := lacking(claim, sounds=count):
        return Outcome(f"{task} ({short})", "missing", figures)
    gap = float(theirs[f"{column}_low"] - ours[f"{column}_high"]), float(theirs[f"{column}_high"] - ours[f"{column}_low"])
    return Outcome(task, side_of(*gap), figures, enough(claim, sounds=count))


def compare_similarity(claim: Mapping[str, Any], rows: pd.DataFrame, column: str) -> Iterator[Outcome]:
    """Each delta and the next: for the claim, if intervals lie apart and fall."""
    by_delta = {float(row["delta"]): row for row in rows.to_dict("records")}
    deltas = claim["test"]["deltas"]
    for name, following in itertools.pairwise(deltas):
        step = f"δ {name} to {following}"
        a, b = by_delta.get(float(name)), by_delta.get(float(following))
        if a is None or b is None:
            yield Outcome(step, "missing")
            continue
        low, high = a[f"{column}_low"] - b[f"{column}_high"], a[f"{column}_high"] - b[f"{column}_low"]
        figures = f"{step}: {a[column]:.2f} to {b[column]:.2f}"
        count = min(a["pairs"], b["pairs"])
        short = lacking(claim, sounds=count)
        side = "missing" if short else side_of(low, high)
        yield Outcome(f"{step} ({short})" if short else step, side, figures, enough(claim, sounds=count))
