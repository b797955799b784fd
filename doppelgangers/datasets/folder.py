"""The user's own sounds: a folder or archive with a table, clips.csv, of their paths, folds and labels."""

import pandas as pd

from doppelgangers.datasets.archive import Tree, normal, points_outside
from doppelgangers.datasets.catalogue import SPLITS
from doppelgangers.datasets.clips import Clips, clips_of_files, read_table
from doppelgangers.errors import UserError

TABLE = "clips.csv"
RESERVED = ("clip", "file")


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. Paths are relative to the table; they are the names of the clips.

    The column `fold` has numbers from 1, or train, valid and test. All other columns are labels, read as text; a clip with
    an empty label is not part of the task on that label.

    Raises:
        UserError: naming the row of the table that is wrong.
    """
    root = tree.root(TABLE)
    table = read_table(tree, root + TABLE, [], dtype=str, keep_default_na=False, na_values=[""])
    if missing := [column for column in ("path", "fold") if column not in table]:
        raise UserError(f"{TABLE} has no column {', '.join(missing)}; it needs path, fold, and one per label")
    if taken := [column for column in RESERVED if column in table]:
        raise UserError(f"{TABLE} has a column {', '.join(taken)}, and this name is reserved: rename it")
    if table.empty:
        raise UserError(f"{TABLE} names no sounds")
    check(table, table.path.isna(), "has no path")
    check(table, table.path.map(points_outside), "leads out of the folder: paths have to be relative to the table")
    files = root + table.path.map(normal)
    check(table, ~files.isin(tree.names), "does not exist")
    table = table.rename(columns={"path": "clip"}).assign(file=files, fold=folds(table))
    return clips_of_files(tree, table)


def folds(table: pd.DataFrame) -> pd.Series:
    """The column `fold`, with numbers as integers.

    Raises:
        UserError: naming a row whose fold is neither a number nor a split, or a fold without clips.
    """
    if table.fold.isin(SPLITS).any():
        check(table, ~table.fold.isin(SPLITS), "has a fold other than train, valid and test, which other rows have")
        return table.fold
    check(table, ~table.fold.fillna("").str.fullmatch(r"[1-9]\d*"), "has a fold that is neither a number from 1 nor a split")
    numbers = table.fold.astype(int)
    if gaps := set(range(1, numbers.max() + 1)) - set(numbers):
        raise UserError(f"{TABLE} has folds up to {numbers.max()}, and no clip in fold {min(gaps)}")
    return numbers


def check(table: pd.DataFrame, wrong: pd.Series, message: str) -> None:
    """Refuse wrong rows; the message names the first, by its line in an editor, and says how many there are."""
    if rows := [row for row, is_wrong in enumerate(wrong) if is_wrong]:
        row = table.iloc[rows[0]]
        more = f" ({len(rows)} rows are like that)" if len(rows) > 1 else ""
        raise UserError(f"{TABLE}, row {rows[0] + 2}: {row.path}, fold {row.fold}: {message}{more}")
