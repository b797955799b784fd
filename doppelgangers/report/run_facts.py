"""What was run, from the records beside the results: scale, machines, time."""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgangers.encoders.card import Card
from doppelgangers.files import read_json
from doppelgangers.provenance import records_in
from doppelgangers.report.page import Cell, Section, Table, Text


def read_records(results: Path) -> pd.DataFrame:
    """The records of all jobs whose results are there: rule, machine, commit, started, seconds, peak_memory_mb, versions."""
    columns = ["rule", "machine", "commit", "started", "seconds", "peak_memory_mb", "versions", "python"]
    found = [read_json(path) for path in sorted(records_in(results))]
    return pd.DataFrame([{name: record.get(name) for name in columns} for record in found], columns=columns)


def facts_of_run(cards: list[Card], records: pd.DataFrame, verdicts: pd.DataFrame) -> list[tuple[str, str]]:
    """What the head of the page says: name and value."""
    trained = [card for card in cards if card.source in ("synthetic", "real")]
    commits = [commit or "not known" for commit in dict.fromkeys(records["commit"])]
    facts = [
        ("encoders trained", str(len(trained)) if trained else "none"),
        ("pairs seen by each", in_range(card.pairs for card in trained)),
        ("width (paper: 1)", in_range(card.width for card in trained)),
        ("machines", "; ".join(dict.fromkeys(records["machine"]))),
        ("time of all jobs", duration(records["seconds"].sum())),
        ("last job", str(records["started"].max())[:10] if len(records) else "not known"),
        ("code", ", ".join(commits)),
    ]
    counts = verdicts["verdict"].value_counts()
    return [*facts, ("verdicts on claims", "; ".join(f"{count} {verdict}" for verdict, count in counts.items()))]


def in_range(values: Iterable[Any]) -> str:
    """One value, or the least and the largest; a dash where there is none."""
    known = sorted({value for value in values if value is not None})
    texts = [f"{value:,}" if isinstance(value, int) else f"{value:g}" for value in known]
    return " to ".join(dict.fromkeys([texts[0], texts[-1]])) if texts else "–"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, the largest two of them."""
    hours, minutes, rest = int(seconds // 3600), int(seconds % 3600 // 60), int(seconds % 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def about_run(records: pd.DataFrame) -> Section:
    """The last section: what jobs took, and by which packages."""
    stages = records.groupby("rule", sort=False).agg(
        jobs=("rule", "size"), seconds=("seconds", "sum"), memory=("peak_memory_mb", "max")
    )
    rows = [
        [Cell(str(rule)), Cell(f"{row.jobs:g}"), Cell(f"{row.seconds:,.0f}"), Cell(f"{row.memory:,.0f}")]
        for rule, row in stages.sort_values("seconds", ascending=False).iterrows()
    ]
    jobs = Table("What the jobs of each rule took.", ["rule", "jobs", "time (s)", "peak memory (MB)"], rows)
    packages: dict[str, list[str]] = {}
    for versions, python in zip(records["versions"], records["python"], strict=True):
        for name, version in {"python": python, **(versions or {})}.items():
            if version and version not in packages.setdefault(name, []):
                packages[name].append(version)
    text = ", ".join(f"{name} {' and '.join(found)}" for name, found in packages.items() if found)
    when = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    where = 'From a cell of the table to all that made it: make explain ARGS="ENCODER TASK".'
    return Section("run", "The run", [Text(f"Packages: {text}."), Text(f"{where} This page was written {when}."), jobs])
