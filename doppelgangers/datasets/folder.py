"""The user's own sounds: a folder or archive with a table, clips.csv, of their paths, folds and labels."""

import csv
import io
import sys
from pathlib import Path

import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import SPLITS
from doppelgangers.datasets.clips import Clips, clips_of_files
from doppelgangers.datasets.members import normal, points_outside
from doppelgangers.errors import UserError

TABLE = "clips.csv"
RESERVED = ("clip", "file")


def load(tree: Tree, pinned: bool, fold: str = "fold") -> Clips:
    """Clips and how to read them; see `datasets.clips`. Paths are relative to the table; they are the names of the clips.

    All columns are text, without the spaces around it. The column `fold`, or the one that is named so, has numbers from 1, or
    train, valid and test. All other columns are labels; a clip with an empty label is not part of the task on that label.

    Raises:
        UserError: naming the row of the table that is wrong, as an editor numbers it.
    """
    root = tree.root(TABLE)
    table = read_rows(tree.read(root + TABLE))
    if missing := [column for column in ("path", fold) if column not in table]:
        raise UserError(
            f"{TABLE} has no column {', '.join(missing)}; it needs path, {fold}, and one per label, separated by commas; "
            f"it has {', '.join(table.columns)} (the key fold of the task names the column of the folds)"
        )
    if taken := [column for column in RESERVED if column in table]:
        raise UserError(f"{TABLE} has a column {', '.join(taken)}, and this name is reserved: rename it")
    if table.empty:
        raise UserError(f"{TABLE} names no sounds")
    about = table.path + f", {fold} " + table[fold].fillna("")
    check(about, table.path.isna(), "has no path")
    folders = [folder for folder in tree.paths if folder.is_dir()]
    tops = [normal(str(top)) for folder in folders for top in (folder.absolute(), folder.resolve())]
    files = table.path.map(lambda path: place_of(tree, root, tops, path))
    absent = ~files.isin(tree.names)
    check(about, absent & files.map(points_outside), "leads out of the folder: paths have to be relative to the table")
    if absent.any():
        first = files[absent].iloc[0]
        check(about, absent, f"does not exist{': ' if first in tree.unread else ''}{tree.unread.get(first, '')}")
    check_twins(tree, table.path, files)
    table[fold] = numbered(table[fold], about)
    return clips_of_files(tree, table.rename(columns={"path": "clip"}).assign(file=files).reset_index(drop=True))


def read_rows(content: bytes) -> pd.DataFrame:
    """The rows of a table, all text, missing where they are empty; the index is the line of each, as an editor numbers it.

    Raises:
        UserError: when it is no table in UTF-8, or a row has more cells than the header.
    """
    csv.field_size_limit(sys.maxsize)
    lines, rows = [], []
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), skipinitialspace=True, strict=True)
        end = 0
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                lines.append(end + 1)
                rows.append(cells)
            end = reader.line_num
    except UnicodeDecodeError as error:
        raise UserError(f"{TABLE} cannot be read as a table: it is not in UTF-8; save it as CSV in UTF-8 ({error})") from error
    except csv.Error as error:
        raise UserError(f"{TABLE} cannot be read as a table: row {end + 1}: {error}") from error
    if not rows:
        raise UserError(f"{TABLE} cannot be read as a table: it is empty")
    header, *rows = rows
    while header and not header[-1]:
        header.pop()
    for i, name in enumerate(header):
        if not name or name in header[:i]:
            raise UserError(f"{TABLE} has {f'two columns {name}' if name else f'no name for column {i + 1}'}: rename it")
    for line, row in zip(lines[1:], rows, strict=True):
        if any(row[len(header) :]):
            raise UserError(f"{TABLE}, row {line}: has {len(row)} cells, and the table has {len(header)} columns")
    whole = [(row + [""] * len(header))[: len(header)] for row in rows]
    return pd.DataFrame(whole, columns=header, index=lines[1:], dtype=object).replace("", None)


def place_of(tree: Tree, root: str, tops: list[str], path: str) -> str:
    """Name in the tree of a sound of the table; an absolute path may lie in one of the user's folders, the tops."""
    if path.startswith("/"):
        for place in (path, str(Path(path).resolve())):
            if top := next((top for top in tops if normal(place).startswith(f"{top}/")), None):
                return normal(place).removeprefix(f"{top}/")
        return path
    name = normal(root + path)
    return name if name in tree.readers or not points_outside(path) else path


def check_twins(tree: Tree, paths: pd.Series, files: pd.Series) -> None:
    """Refuse a sound that comes twice, also by another spelling of its path or by a link.

    Raises:
        UserError: naming both rows.
    """
    rows: dict[object, int] = {}
    for row, path, file in zip(paths.index.tolist(), paths, files, strict=True):
        first = rows.setdefault(tree.same_file(file), row)
        if first != row:
            spelled = f", there as {path}" if path != paths.loc[first] else ""
            raise UserError(f"{TABLE} names the clip {paths.loc[first]} twice, in row {first} and row {row}{spelled}")


def numbered(folds: pd.Series, about: pd.Series) -> pd.Series:
    """Folds, with numbers as integers; `about` says what each row is.

    Raises:
        UserError: naming a row whose fold is neither a number nor a split, or a fold without clips.
    """
    if folds.isin(SPLITS).any():
        check(about, ~folds.isin(SPLITS), "has a fold other than train, valid and test, which other rows have")
        return folds
    check(about, ~folds.fillna("").str.fullmatch(r"[1-9]\d*"), "has a fold that is neither a number from 1 nor a split")
    numbers = folds.astype(int)
    if gaps := set(range(1, numbers.max() + 1)) - set(numbers):
        raise UserError(f"{TABLE} has folds up to {numbers.max()}, and no clip in fold {min(gaps)}")
    return numbers


def check(about: pd.Series, wrong: pd.Series, message: str) -> None:
    """Refuse wrong rows; the message names the first and says how many there are."""
    if wrong.any():
        rows = about[wrong]
        more = f" ({len(rows)} rows are like that)" if len(rows) > 1 else ""
        raise UserError(f"{TABLE}, row {rows.index[0]}: {rows.iloc[0]}: {message}{more}")
