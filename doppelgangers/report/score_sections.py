"""Sections of the report on scores: the claims, the table beside the paper's, what is taken for what."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from doppelgangers.report.page import Cell, Claim, Section, Table, Text, Verdict, cells
from doppelgangers.report.tables import Row

LOOKS = {"reproduced": "good", "not reproduced": "bad", "better": "good", "worse": "bad"}
CONFUSED = 8  # pairs of classes that are shown of each encoder


def claims(verdicts: pd.DataFrame) -> Section:
    """The verdicts of claims.csv."""
    blocks: list = [
        Text(
            "Each verdict is computed from the results (configs/claims.yaml says how). Reproduced and not reproduced are said "
            "only where intervals of 95 percent decide and the scale that a claim needs was run."
        )
    ]
    for text, rows in verdicts.groupby("text", sort=False):
        found = [
            Verdict(
                ", ".join(filter(None, [row["tagger"], row["definition"].replace("_", " ")])),
                Cell(row["verdict"], LOOKS.get(row["verdict"], "open")),
                row["why"],
                row["figures"].split("; ") if row["figures"] else [],
            )
            for row in rows.to_dict("records")
        ]
        blocks.append(Claim(str(text), found))
    return Section("claims", "Claims", blocks)


def scores(rows: list[Row], comparisons: pd.DataFrame, metrics: Mapping[str, str], published: Mapping[str, Any]) -> list:
    """Blocks: the table, and the paper's figures beside ours."""
    tasks = list(rows[0].scores) if rows else []
    decided = comparisons[comparisons["against"] == "random_init"].set_index(["encoder", "task"])["verdict"].to_dict()
    lines = []
    for row in rows:
        encoder = row.facts["encoder"]
        line = [Cell(encoder), Cell(row.pairs or "–")]
        for task, score in row.scores.items():
            verdict = decided.get((encoder, task), "")
            line.append(Cell(score.text(), f"{'best' if score.best else ''} {LOOKS.get(verdict, '')}".strip()))
        lines.append(line)
    named = sorted(
        {f"{metrics[task].replace('_', ' ')}: {', '.join(t for t in tasks if metrics[t] == metrics[task])}" for task in tasks}
    )
    caption = (
        f"Scores in percent ({'; '.join(named)}), mean ± standard deviation over folds and seeds. Bold: the best. Green: "
        "better than random initialisation, orange: worse, by intervals of 95 percent (comparisons.csv)."
    )
    return [Table(caption, ["encoder", "pairs", *tasks], lines), *beside_published(rows, published)]


def beside_published(rows: list[Row], published: Mapping[str, Any]) -> list:
    """The paper's figures with the best of ours that they are held against, where there is one."""
    lines, tasks = [], list(dict.fromkeys(task for row in published["rows"].values() for task in row["scores"]))
    for row in published["rows"].values():
        chosen = [own.scores for own in rows if selected(own, row["select"])]
        ours = {task: [scores[task].mean for scores in chosen if task in scores] for task in tasks}
        theirs = [f"{row['scores'][task]:.1f}" if task in row["scores"] else "–" for task in tasks]
        lines.append([Cell(f"paper: {row['text']}"), *map(Cell, theirs)])
        best = [f"{max(ours[task]):.1f}" if ours[task] else "not run" for task in tasks]
        lines.append([Cell(f"here: {row['text']}", "muted"), *(Cell(text, "muted") for text in best)])
    pairs = [int(float(row.facts["pairs"])) for row in rows if row.facts["source"] == "synthetic" and row.facts["pairs"]]
    scale = f"here: {max(pairs):,} pairs at most" if pairs else "here: nothing trained on synthetic pairs"
    note = f"Not of one scale. The paper: {published['scale']}; {scale}. The paper's figures are {published['note']}."
    caption = "The paper's published scores, in percent, and ours. A dash: not known to us."
    return [Table(caption, ["", *tasks], lines), Text(note, note=True)]


def selected(row: Row, selector: Mapping[str, list]) -> bool:
    """Whether a row has one of the values of every column that a selection names."""
    for column, values in selector.items():
        found = row.facts[column]
        if values and not (found and float(found) in values if column == "delta" else found in values):
            return False
    return True


def confusions(pairs: pd.DataFrame, recalls: pd.DataFrame) -> list:
    """Blocks: for each task the recall of each encoder, and what is confused most."""
    blocks = []
    for task, rows in recalls.groupby("task", sort=False):
        lines = []
        for encoder, part in rows.groupby("encoder", sort=False):
            gaining = (part["gain"] > 0).sum() if part["gain"].notna().any() else "–"
            lines.append(cells(encoder, f"{100 * part['recall'].mean():.1f}", len(part), gaining))
        head = ["encoder", "mean recall (%)", "classes", "classes above random_init"]
        blocks.append(Table(f"{task}: recall of each class, and how many classes gain by training.", head, lines))
        most = pairs[pairs["task"] == task].groupby("encoder", sort=False).head(CONFUSED)
        most = most.assign(percent=100 * most["share"])
        lines = [cells(row.encoder, row.truth, row.predicted, f"{row.percent:.0f}") for row in most.itertuples()]
        head = ["encoder", "class", "taken for", "share (%)"]
        blocks.append(Table(f"{task}: classes that are confused most.", head, lines, names=3))
    return blocks
