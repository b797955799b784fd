"""Sections of the report on sounds: to listen to, features, causal uncertainty, distances, similarity."""

from pathlib import Path

import pandas as pd

from doppelgangers.analysis.sounds import read_set
from doppelgangers.report.media import mp3_uri
from doppelgangers.report.page import Sounds, Table, Text, cells

PLAYED = 4  # pairs of each architecture
LARGEST = 12  # differences of features that are shown of each dataset


def interval(row: pd.Series, value: str, digits: int = 2) -> str:
    """A value with its limits; empty where it is not known."""
    if pd.isna(row[value]):
        return ""
    low, high = (row.get(f"{value}_{limit}", row.get(limit)) for limit in ("low", "high"))
    return f"{row[value]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def short(value: float) -> str:
    """A number with three digits or more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def listen(folders: list[Path]) -> list:
    """Grids of pairs: a row for each pair that all deltas have, a column for each delta."""
    made = [found for found in map(read_set, folders) if found[2]["kind"] == "synthetic"]
    blocks = []
    for architecture in dict.fromkeys(about["architecture"] for _, _, about in made):
        own = [found for found in made if found[2]["architecture"] == architecture]
        common = [clip for clip in own[0][1]["clip"].unique() if all(clip in set(table["clip"]) for _, table, _ in own)]
        rows = []
        for clip in common[:PLAYED]:
            views = [[(i, table["view"][i]) for i in table.index[table["clip"] == clip]] for _, table, _ in own]
            players = [[(label, mp3_uri(found[0][i])) for i, label in part] for found, part in zip(own, views, strict=True)]
            rows.append((f"pair {clip}", players))
        caption = f"{architecture}: both views of pairs. A row starts from the same parameters, perturbed more and more."
        blocks.append(Sounds(caption, [f"δ = {about['delta']}" for _, _, about in own], rows))
    return blocks


def extremes(table: pd.DataFrame, folders: list[Path]) -> list:
    """For each dataset, the sounds of it and of the set that covers it best that are farthest from all of the other."""
    sets = {found[2]["sounds"]: found for found in map(read_set, folders)}
    rows = []
    for (ours, theirs), part in table.groupby(["sounds", "against"], sort=False):
        if sets[ours][2]["kind"] != "synthetic":
            continue
        players = []
        for side in (ours, theirs):
            sounds, listed, _ = sets[side]
            places = [listed.index[listed["sound"] == sound][0] for sound in part[part["of"] == side]["sound"]]
            players.append([(str(n), mp3_uri(sounds[i])) for n, i in enumerate(places, start=1)])
        rows.append((f"{ours} and {theirs}", players))
    caption = "The sounds that are farthest, by their features, from every sound of the other set."
    return [Sounds(caption, ["synthetic", "dataset"], rows)] if rows else []


def features(differences: pd.DataFrame, coverage: pd.DataFrame, shown: str) -> list:
    """Blocks: the largest differences of the set of pairs that is shown, and coverage of every set."""
    blocks: list = []
    for against, part in differences[differences["sounds"] == shown].groupby("against", sort=False):
        largest = part.assign(size=part["cliff"].abs()).sort_values("size", ascending=False, kind="stable").head(LARGEST)
        rows = []
        for _, row in largest.iterrows():
            medians = [short(row[name]) for name in ("median", "median_against")]
            rows.append(cells(row["feature"], row["unit"], *medians, interval(row, "cliff")))
        caption = f"{shown} against {against}: the features that differ most, by Cliff's delta (above 0: larger in {shown})."
        head = ["feature", "unit", f"median {shown}", f"median {against}", "Cliff's delta"]
        blocks.append(Table(caption, head, rows, names=2))
    rows = []
    for _, row in coverage.iterrows():
        reached = [interval(row, name) for name in ("coverage", "coverage_back")]
        rows.append(cells(row["sounds"], row["against"], *reached, row["count"]))
    caption = (
        "How far sets reach into each other, by features: share of the dataset that the sounds reach (coverage), and of the "
        "sounds that the dataset reaches (back). A dataset against itself is its other half: what alike comes to."
    )
    return [*blocks, Table(caption, ["sounds", "dataset", "coverage", "back", "sounds of each"], rows, names=2)]


def uncertainty(summary: pd.DataFrame, differences: pd.DataFrame) -> list:
    """Blocks: means of each set, and effect sizes, a column for each tagger and definition."""
    means = "Mean causal uncertainty, from 0 (certain) to 1, with intervals of 95 percent."
    cliff = "Cliff's delta of synthetic sounds against datasets: above 0, the synthetic ones are more uncertain."
    return [wide(summary, "mean", ["sounds"], means), wide(differences, "cliff", ["sounds", "against"], cliff)]


def wide(rows: pd.DataFrame, value: str, names: list[str], caption: str) -> Table:
    """A table with a column for each tagger and definition."""
    columns = list(dict.fromkeys(zip(rows["tagger"], rows["definition"], strict=True)))
    lines = []
    for key, part in rows.groupby(names, sort=False):
        texts = {(row["tagger"], row["definition"]): interval(row, value) for _, row in part.iterrows()}
        lines.append(cells(*key, *(texts.get(column, "") for column in columns)))
    head = [*names, *(f"{tagger}, {definition.replace('_', ' ')}" for tagger, definition in columns)]
    return Table(caption, head, lines, names=len(names))


def distances(rows: pd.DataFrame) -> Table:
    """Distances in each embedding."""
    lines = [
        cells(row["embedding"], row["sounds"], row["against"], interval(row, "fad", 1), interval(row, "kad", 1))
        for _, row in rows.iterrows()
    ]
    caption = (
        "Fréchet (FAD) and kernel (KAD) audio distance, with what holds 95 percent of the draws of halves. FAD has the unit of "
        "its embedding and a bias by number of sounds: compare it within an embedding, with the dataset's own other half."
    )
    return Table(caption, ["embedding", "sounds", "dataset", "FAD", "KAD"], lines, names=3)


def similarity(rows: pd.DataFrame, ratings: pd.DataFrame | None, by_delta: pd.DataFrame | None) -> list:
    """Blocks: the similarity of both views by delta, to taggers and to listeners."""
    lines = []
    for _, row in rows.iterrows():
        similar = [interval(row, name) for name in ("centred", "cosine")]
        lines.append(cells(row["tagger"], row["architecture"], f"{row['delta']:g}", *similar))
    caption = "Mean cosine similarity of both views' embeddings; centred: without what all sounds have in common."
    blocks: list = [Table(caption, ["tagger", "architecture", "δ", "centred", "plain"], lines, names=2)]
    if ratings is None or by_delta is None:
        missing = (
            "No ratings of listeners yet. The test is results/listening_test.html; listening_test.ratings takes its files."
        )
        return [*blocks, Text(missing, note=True)]
    lines = [
        cells(f"{row['delta']:g}", f"{row['ratings']:g}", interval(row, "mean"), f"{row['cosine_centred']:.2f}")
        for _, row in by_delta.iterrows()
    ]
    blocks.append(Table("Rated similarity, from 1 to 7.", ["δ", "ratings", "mean rating", "centred cosine"], lines))
    everyone = ratings[ratings["rater"] == "all"].iloc[0]
    text = f"{everyone['reason']}. Spearman's correlation of rating with δ, mean over raters: {interval(everyone, 'rho')}."
    return [*blocks, Text(text)]
