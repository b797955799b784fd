"""Stage: turn a dataset into log-mel patches, once for all encoders.

A dataset's module has `load(source, pinned)`, which returns a table of clips and a function that reads one of them.
The table has the columns `clip` (a unique name), `fold` (from 1), a column for every label, and what reading needs. The
function takes a row and returns mono float32 sound (T,) with its rate in Hz; None for a clip that does not exist after
all; or it raises `UserError` for one that is damaged.
"""

import importlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from doppelgangers.audio import fit, resample
from doppelgangers.datasets.catalogue import DATASETS
from doppelgangers.errors import UserError
from doppelgangers.files import replace, require_space, write_json
from doppelgangers.frontend import BANDS, PATCH_FRAMES, RATE_HZ, LogMel, patch_count

log = logging.getLogger(__name__)
BATCH_CLIPS = 64
NAMED_FAULTS = 10  # damaged clips that a message names one by one


def prepare(
    clips: Path,
    logmel: Path,
    card: Path,
    *,
    dataset: str,
    source: Path | None,
    checksum: str,
    limit_clips: int,
    tolerate_clips: int,
) -> None:
    """Decode every clip, mix it down, resample it to 16 kHz, pad or cut it, and store its log-mel patches.

    Args:
        clips: clips.csv to write; row i describes entry i of `logmel`.
        logmel: logmel.npy to write, (N, P, 96, 64) float16: P patches for each of N clips.
        card: dataset.json to write: licence, source, counts.
        dataset: key of the catalogue.
        source: archive, folder or file; None for what a package ships.
        checksum: as in config; "none" also stops the pinned release's counts from being held against the source.
        limit_clips: keep at most so many clips, drawn at random (seed 0); 0 for all.
        tolerate_clips: how many damaged clips may be left out.

    Raises:
        UserError: when the source is not the dataset, or more clips are damaged than tolerated; it names them.
    """
    row, source = DATASETS[dataset], Path(source) if source else None
    pinned = checksum != "none"
    table, read = importlib.import_module(f"doppelgangers.datasets.{row.module}").load(source, pinned)
    if pinned and row.clips and len(table) != row.clips:
        raise UserError(
            f'{dataset}: {source} has {len(table)} clips, expected {row.clips}; set its checksum to "none" to use it so'
        )
    if limit_clips and limit_clips < len(table):
        table = table.sample(limit_clips, random_state=0).sort_index()

    samples = round(row.clip_s * RATE_HZ)
    shape = (len(table), patch_count(samples), PATCH_FRAMES, BANDS)
    require_space(Path(logmel).parent, int(np.prod(shape)) * 2, f"dataset {dataset}")
    frontend, kept, faults = LogMel(), [], []
    with replace(logmel) as temporary:
        stored = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
        for batch, rows in read_batches(table, read, samples, faults, f"prepare {dataset}"):
            patches = frontend(torch.from_numpy(batch))
            stored[len(kept) : len(kept) + len(rows)] = patches.numpy()
            kept.extend(rows)
        report_faults(dataset, faults, len(table), tolerate_clips)
        stored.flush()
        if len(kept) < len(table):
            stored = np.array(stored[: len(kept)])
            np.save(temporary, stored)
    with replace(clips) as temporary:
        table.loc[kept].to_csv(temporary, index=False)
    facts = {"dataset": dataset, "licence": row.licence, "source": str(source or row.source), "facts": row.source}
    counts = {"clips": len(kept), "absent": len(table) - len(kept) - len(faults), "damaged": faults, "patches": shape[1]}
    write_json(card, {**facts, **counts})


def read_batches(table: pd.DataFrame, read, samples: int, faults: list[str], title: str):
    """Yield (sounds (B, samples), their row labels); damaged clips are added to `faults`, absent ones left out."""
    batch, rows = [], []
    for clip in tqdm(table.itertuples(), total=len(table), desc=title, unit="clip"):
        try:
            sound = read(clip)
        except UserError as error:
            faults.append(str(error))
            continue
        if sound is not None:
            batch.append(fit(resample(*sound, RATE_HZ), samples))
            rows.append(clip.Index)
        if len(batch) == BATCH_CLIPS:
            yield np.stack(batch), rows
            batch, rows = [], []
    if batch:
        yield np.stack(batch), rows


def report_faults(dataset: str, faults: list[str], total: int, tolerated: int) -> None:
    """Say which clips are damaged.

    Raises:
        UserError: when they are more than tolerated.
    """
    if not faults:
        return
    named = "\n".join(f"  {fault}" for fault in faults[:NAMED_FAULTS])
    more = f"\n  and {len(faults) - NAMED_FAULTS} more" if len(faults) > NAMED_FAULTS else ""
    message = f"{dataset}: {len(faults)} of {total} clips are damaged:\n{named}{more}"
    if len(faults) > tolerated:
        raise UserError(f"{message}\nReplace them, or set datasets.{dataset}.tolerate_clips to leave out up to so many.")
    log.warning("%s\nThey are left out.", message)
