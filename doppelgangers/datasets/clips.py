"""The clips of a dataset: a table of them, and a function that reads one. Every dataset's module returns these."""

import collections
import importlib
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from doppelgangers.audio import decode, fit, resample
from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import Dataset, section_of
from doppelgangers.errors import UserError

LENGTH = "unpadded_s"  # column of clips.csv: length of a clip before padding, at most that of the dataset, in seconds
LFS_POINTER = b"version https://git-lfs"
Item = TypeVar("Item")
Result = TypeVar("Result")


class Clips(NamedTuple):
    """What `load(tree, pinned)` of a dataset's module returns; those of the user's own take `Dataset.own` as well.

    Attributes:
        table: a row per clip with `clip` (a unique name), `fold` (a number from 1, or train, valid, test; the user's own
            may have another name), a column for every label, and what `read` needs.
        read: takes a row (of `DataFrame.itertuples`); returns mono float32 sound (T,) and its rate in Hz, or None where
            there is no such clip; raises `UserError` when it is damaged. Several threads call it.
        select: takes the rows that will be read; it is called before the first of them is read.
    """

    table: pd.DataFrame
    read: Callable[[Any], tuple[np.ndarray, int] | None]
    select: Callable[[pd.DataFrame], None] = lambda rows: None


def clips_of_files(tree: Tree, table: pd.DataFrame) -> Clips:
    """Clips that are sound files of a tree, named in the column `file` of the table.

    Raises:
        UserError: when some of the files are missing, with the first and the number of them.
    """
    there = set(tree.names)
    if absent := [file for file in table.file if file not in there]:
        why = f": {tree.unread[absent[0]]}" if absent[0] in tree.unread else ""
        raise UserError(f"{len(absent)} of {len(table)} recordings are missing, the first is {absent[0]}{why}")

    def read(clip: Any) -> tuple[np.ndarray, int]:
        data = tree.read(clip.file)
        if data.startswith(LFS_POINTER):
            raise UserError(f"{clip.file} is not a sound but a pointer of Git LFS; fetch the sounds with git lfs pull")
        return decode(data, clip.file)

    return Clips(table, read, lambda rows: tree.select(rows.file))


def named_files(tree: Tree, folder: str, stem: str, like: str) -> pd.DataFrame:
    """The wav files in a folder and its subfolders, and what their names say.

    Args:
        tree: of the dataset.
        folder: last parts of its path.
        stem: regular expression of the file names without extension; its named groups become columns.
        like: an example of such a name, for messages.

    Returns:
        columns `clip` (the stem), one per named group (text), and `file`; in the order of the stems.

    Raises:
        UserError: when there are none, or some have names of another form.
    """
    files = pd.Series(tree.names, dtype=str)
    files = files[files.str.contains(rf"(?:^|/){folder}/(?:.*/)?[^/]+\.(?i:wav)$")]
    if files.empty:
        raise UserError(f"it has no wav files in a folder {folder}: it is not this dataset, or not all of it")
    names = files.str.extract(r"([^/]+)\.\w+$")[0]
    found = names.str.extract(rf"^(?P<clip>{stem})$").assign(file=files)
    named = found["clip"].notna()
    if not named.all():
        odd = files[~named]
        raise UserError(f"{len(odd)} of {len(files)} recordings are not named like {like}.wav, the first is {odd.iloc[0]}")
    return found.sort_values("clip", kind="stable", ignore_index=True)


def read_table(tree: Tree, name: str, needed: list[str], **options: Any) -> pd.DataFrame:
    """The needed columns of a table of the dataset, or all columns where none are named; options of `pandas.read_csv`.

    Raises:
        UserError: when it is no table, or some of the columns are missing.
    """
    try:
        table = pd.read_csv(io.BytesIO(tree.read(name)), **options)
    except ValueError as error:
        raise UserError(f"{name} cannot be read as a table: {error}") from error
    if missing := [column for column in needed if column not in table]:
        raise UserError(f"{name} has no column {', '.join(missing)}")
    return table[needed] if needed else table


def open_clips(dataset: str, row: Dataset, tree: Tree, pinned: bool) -> Clips:
    """The clips of a dataset, checked against the catalogue.

    Args:
        dataset: its name, for messages.
        row: of the catalogue.
        tree: its files.
        pinned: whether it has to be the release that the catalogue describes.

    Raises:
        UserError: when it is not that dataset, or not all of it.
    """
    try:
        clips = importlib.import_module(f"doppelgangers.datasets.{row.module}").load(tree, pinned, **row.own)
    except UserError as error:
        raise UserError(f"{dataset}: {tree}: {error}{missing_archives(row, tree)}") from error
    if pinned and row.clips and len(clips.table) != row.clips:
        raise UserError(
            f"{dataset}: {tree} has {len(clips.table)} clips, expected {row.clips}; to use it nevertheless, set "
            f'{section_of(dataset)}.checksum to "none"'
        )
    if not clips.table["clip"].is_unique:
        twice = clips.table["clip"][clips.table["clip"].duplicated()].iloc[0]
        raise UserError(f"{dataset}: {tree} names the clip {twice} twice")
    return clips


def missing_archives(row: Dataset, tree: Tree) -> str:
    """Which archives of a dataset are not in the user's folder that has the others; for messages."""
    for folder in tree.paths:
        if missing := row.missing_beside(folder):
            return f"; of the archives in {folder}, {', '.join(missing)} is missing"
    return ""


def rows_named(table: pd.DataFrame, clips: pd.Series) -> pd.DataFrame:
    """The rows of a dataset's table with these names, in their order, numbered from 0.

    Raises:
        UserError: when some are not there any more.
    """
    found = table.set_index(table["clip"].astype(str), drop=False)
    if (absent := clips[~clips.isin(found.index)]).size:
        raise UserError(f"{absent.size} of {clips.size} prepared clips are missing, the first is {absent.iloc[0]}")
    return found.loc[clips].reset_index(drop=True)


def read_sounds(
    clips: Clips,
    rows: pd.DataFrame,
    *,
    rate_hz: int,
    duration_s: float,
    threads: int,
    faults: list[str],
    title: str,
    lengths_s: dict[int, float] | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (row label, sound (T,) float32 at `rate_hz`) in the order of the rows, decoded by several threads.

    Memory holds a few sounds at a time, however many there are.

    Args:
        clips: of a dataset.
        rows: part of its table.
        rate_hz: to which sounds are resampled.
        duration_s: to which sounds are padded with silence or cut.
        threads: how many decode and resample.
        faults: gets a message for every damaged clip; it is left out, like one that does not exist.
        title: of the progress bar.
        lengths_s: gets, by row label, the length of every clip that is not padding, in seconds; at most `duration_s`.
    """
    samples = round(duration_s * rate_hz)

    def sound_of(row: Any) -> np.ndarray | None:
        found = clips.read(row)
        if found is None:
            return None
        sound, found_hz = found
        if lengths_s is not None:
            lengths_s[row.Index] = round(min(len(sound) / found_hz, duration_s), 6)
        sound = sound[: int(found_hz * (duration_s + 1))]  # do not resample what is cut off anyway
        return fit(resample(sound, found_hz, rate_hz), samples)

    clips.select(rows)
    items: Iterable[Any] = rows.itertuples()
    with ThreadPoolExecutor(threads) as pool:
        futures = in_order(pool, sound_of, items, ahead=4 * threads)
        for row, future in tqdm(futures, total=len(rows), desc=title, unit="clip"):
            try:
                sound = future.result()
            except UserError as error:
                faults.append(str(error))
                continue
            if sound is not None:
                yield row.Index, sound


def in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[tuple[Item, Future[Result]]]:
    """Yield (item, future of function(item)) in order, while at most `ahead` further items are being worked on."""
    waiting: collections.deque[tuple[Item, Future[Result]]] = collections.deque()
    for item in items:
        waiting.append((item, pool.submit(function, item)))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


NAMED_FAULTS = 10  # damaged clips that a message names


def fault_report(dataset: str, faults: list[str], total: int) -> str:
    """Which clips are damaged, in words."""
    named = "\n".join(f"  {fault}" for fault in faults[:NAMED_FAULTS])
    more = f"\n  and {len(faults) - NAMED_FAULTS} more" if len(faults) > NAMED_FAULTS else ""
    return f"{dataset}: {len(faults)} of {total} clips are damaged:\n{named}{more}"
