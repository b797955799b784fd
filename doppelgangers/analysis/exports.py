"""The files that listeners hand in, as results/listening_test.html exports them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgangers.errors import UserError
from doppelgangers.files import read_json

KEY = "listening_test.json"  # of a page, beside the files that it gave
WHOLE = ["seed", "headphones_right", "headphones_of", "position", "swapped", "rating", "plays_a", "plays_b"]
COLUMNS = ["rater", "page", "started", "finished", *WHOLE, "trial", "seconds", "at"]
RATED = ["trial", "rating"]


def read_ratings(folder: Path, key: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All ratings in a folder, and the key of their page.

    A listener may hand in both formats, which have to agree.

    Args:
        folder: with .csv and .json files at any depth; others do not count. Where it has a listening_test.json, that is the key
            of its page, which may be an earlier one.
        key: of the page of this study.

    Returns:
        rater, trial, rating, kind, delta, pair, headphones_right, headphones_of; a row for each rating.

    Raises:
        UserError: naming file and row of what cannot be taken.
    """
    own = Path(folder) / KEY
    answers = read_json(own if own.is_file() else key)
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in (".csv", ".json") and path != own)
    found: dict[str, tuple[Path, pd.DataFrame]] = {}
    for path in files:
        table = read_export(path, answers)
        rater = str(table["rater"].iloc[0])
        earlier, same = found.setdefault(rater, (path, table))
        if not same[RATED].sort_values("trial", ignore_index=True).equals(table[RATED].sort_values("trial", ignore_index=True)):
            raise UserError(
                f"{path}: rater {rater} has other ratings in {earlier}: keep one of the files, or give one rater another code"
            )
    if not found:
        raise UserError(f"{folder} has no .csv or .json files of ratings: put them there, or set listening_test.ratings to ''")
    ratings = pd.concat([table for _, table in found.values()], ignore_index=True)
    facts = pd.DataFrame.from_dict(answers["trials"], orient="index")
    columns = ["rater", *RATED, "headphones_right", "headphones_of"]
    return ratings[columns].join(facts, on="trial"), answers


def read_export(path: Path, key: dict[str, Any]) -> pd.DataFrame:
    """The rows of a file, checked.

    Args:
        path: .csv or .json.
        key: of the page.

    Raises:
        UserError: naming file and row of what cannot be taken.
    """
    asked = {name for name, facts in key["trials"].items() if facts["kind"] != "practice"}
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for place, row in rows_of(path):
        where = f"{path}, {place}"
        if missing := [name for name in COLUMNS if row.get(name) in (None, "") and name != "finished"]:
            raise UserError(f"{where}: {', '.join(missing)} missing: ask for the file again, as the page saved it")
        if row["page"] != key["page"]:
            raise UserError(
                f"{where}: it is of page {row['page']}, and the key of page {key['page']}: put the {KEY} that was made with "
                f"the page of these ratings beside them"
            )
        try:
            row |= {name: int(str(row[name])) for name in WHOLE} | {"seconds": float(row["seconds"])}
        except ValueError as error:
            raise UserError(f"{where}: {error}; ask for the file again, as the page saved it") from None
        low, high = key["scale"]
        if not low <= row["rating"] <= high:
            raise UserError(f"{where}: rating {row['rating']} is not from {low} to {high}; correct it or delete the file")
        if row["trial"] not in asked:
            raise UserError(f"{where}: the page has no trial {row['trial']}; correct it or delete the file")
        if row["trial"] in seen:
            raise UserError(f"{where}: trial {row['trial']} is there twice; delete one of the rows")
        if rows and row["rater"] != rows[0]["rater"]:
            raise UserError(f"{where}: rater {row['rater']}, and {rows[0]['rater']} before: one file for each rater, please")
        seen.add(row["trial"])
        rows.append({name: row[name] for name in COLUMNS})
    if not rows:
        raise UserError(f"{path} has no ratings: delete it, or ask for the file again")
    return pd.DataFrame(rows)


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each row of a file is, and what it says.

    Raises:
        UserError: when the file is not what the page saves.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            # Programs for tables may write ; in place of commas.
            mark = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
            for row in (reader := csv.DictReader(text.splitlines(), delimiter=mark)):
                yield f"line {reader.line_num}", dict(row)
            return
        content = json.loads(text)
        trials = content.pop("trials")
        rows = [(f"trial {number}", {**content, **trial}) for number, trial in enumerate(trials, start=1)]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not a file that the listening test saves ({error}): ask for it again, or delete it"
        ) from error
    yield from rows
