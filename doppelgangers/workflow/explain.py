"""From a cell of table.csv to all that made it: `make explain ARGS="voice-0.25 esc50"`.

    python -m doppelgangers.workflow.explain [--table results/table.csv] ENCODER COLUMN

Prints the score with its folds and seeds, then every file that it was made from, at any depth, with what made that: see
`provenance`.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from doppelgangers.errors import UserError
from doppelgangers.provenance import record_of, recorded_checksum

SHORT = 12  # digits of a checksum that are shown


def explain(table: Path, encoder: str, column: str) -> Iterator[str]:
    """Lines that say what made a cell of a table.

    Args:
        table: table.csv of a run; scores.csv and probes/ are beside it.
        encoder: of the row.
        column: a task, or <task>_<kind> with probe.also.

    Raises:
        UserError: when there is no such table, row or column; it lists those that there are.
    """
    if not table.exists():
        raise UserError(f"there is no {table}: name the table of a run with --table, or make it with: make")
    rows = {row["encoder"]: row for row in read_rows(table)}
    columns = [name.removesuffix("_std") for name in next(iter(rows.values()), {}) if name.endswith("_std")]
    pick("encoder", encoder, list(rows))
    pick("column", column, columns)
    row = rows[encoder]
    deviation = f" ± {row[f'{column}_std']} over folds and seeds" if row[f"{column}_std"] else ""
    yield f"{encoder}, {column}: {row[column]}{deviation}"
    yield from scores_of(table.with_name("scores.csv"), encoder, column)
    root = table.absolute().parent.parent  # paths in records are those of the working folder of the run
    for path in (str(table), str(table.with_name("scores.csv"))):
        yield from describe(path, record_of(Path(path)), root, deep=False)
    waiting, seen = [os.path.relpath(table.with_name("probes").absolute() / column / f"{encoder}.csv", root)], set()
    while waiting:
        path = waiting.pop(0)
        record = record_of(root / path)
        job = (record["rule"], *record["wildcards"].values()) if record else (path,)
        if job in seen:
            continue  # another file of a job that was shown
        seen.add(job)
        yield from describe(path, record, root)
        waiting += record["inputs"] if record else []


def read_rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pick(what: str, name: str, known: list[str]) -> None:
    """See that a name is known.

    Raises:
        UserError: with those that are.
    """
    if name not in known:
        raise UserError(f"the table has no {what} {name}; it has {', '.join(known)}")


def scores_of(path: Path, encoder: str, task: str) -> Iterator[str]:
    """The scores of each seed, fold by fold, of every metric."""
    scores: dict[tuple[str, str], list[str]] = {}
    for row in read_rows(path) if path.exists() else []:
        if (row["encoder"], row["task"]) == (encoder, task):
            scores.setdefault((row["metric"], row["seed"]), []).append(f"{row['fold']}: {row['score']}")
    for (metric, seed), folds in scores.items():
        yield f"  {metric}, seed {seed}, by fold  {', '.join(folds)}"


def describe(path: str, record: dict[str, Any] | None, root: Path, deep: bool = True) -> Iterator[str]:
    """What made a file, by its record.

    Args:
        path: of the file, as messages name it.
        record: of the file; None where there is none.
        root: folder that the paths of inputs are relative to.
        deep: whether the inputs are listed.
    """
    yield ""
    yield path
    if record is None:
        ours = path.startswith(("results/", "resources/"))
        missing = "not there" if not (root / path).exists() else "no record of what made it, or replaced since"
        yield f"  {missing if ours else 'of your own; the configuration of what was made from it has a digest of its contents'}"
        return
    named = " ".join(f"{key}={value}" for key, value in record["wildcards"].items())
    yield f"  by       {record['rule']} {named}".rstrip()
    yield f"  code     {record['code']}, commit {record['commit'] or 'not known'}"
    yield f"  when     {record['started']}, {record['seconds']} s, {record['peak_memory_mb']} MB of memory at most"
    yield f"  where    {record['machine']}; {record['threads']} threads"
    packages = {"python": record["python"], **record["versions"], **record["environment"]}
    yield f"  with     {', '.join(f'{name} {version}' for name, version in packages.items())}"
    for name, about in record["files"].items():
        yield f"  wrote    {name}, {about['bytes']:,} bytes, sha256 {about['sha256'][:SHORT]}"
    for name, was in record["inputs"].items() if deep else ():
        now = recorded_checksum(root / name)
        note = f", sha256 {was[:SHORT]}" if was else ""
        yield f"  read     {name}{note}{'' if now == was else ', WHICH IS ANOTHER ONE NOW: run again'}"
    if record["config"]:
        text = yaml.safe_dump(record["config"], default_flow_style=None, width=110).rstrip()
        yield "  config"
        yield from (f"    {line}" for line in text.splitlines())


def main(arguments: list[str] | None = None) -> None:
    """The command.

    Raises:
        SystemExit: with a message, when there is something for the user to mend.
    """
    parser = argparse.ArgumentParser(
        prog="python -m doppelgangers.workflow.explain", description="Say what made a cell of table.csv."
    )
    parser.add_argument("encoder", metavar="ENCODER", help="of the row, such as voice-0.25")
    parser.add_argument("column", metavar="COLUMN", help="a task, such as esc50")
    parser.add_argument("--table", type=Path, default=Path("results/table.csv"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        print("\n".join(explain(options.table, options.encoder, options.column)))
    except UserError as mistake:
        sys.exit(f"ERROR: {mistake}")


if __name__ == "__main__":
    main()
