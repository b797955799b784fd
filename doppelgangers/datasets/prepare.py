"""Stage: compute the log-mel patches of a dataset, once for all encoders."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import Dataset, section_of
from doppelgangers.datasets.clips import LENGTH, batches, fault_report, open_clips, read_sounds
from doppelgangers.datasets.records import verify
from doppelgangers.encoders.frontend import BANDS, PATCH_FRAMES, RATE_HZ, LogMel, patch_count
from doppelgangers.errors import UserError
from doppelgangers.files import replace, require_space, write_json

log = logging.getLogger(__name__)
BATCH_CLIPS = 32


def prepare(
    clips: Path,
    logmel: Path,
    card: Path,
    *,
    dataset: str,
    row: Dataset,
    files: Sequence[Path | str],
    checksum: str,
    limit_clips: int,
    tolerate_clips: int,
    threads: int = 1,
) -> None:
    """Decode every clip, mix it down, resample it to 16 kHz, pad or cut it, and store its log-mel patches.

    Args:
        clips: clips.csv to write; row i describes entry i of `logmel`. Its last column, `unpadded_s`, is the length of the clip
            before it is padded, in seconds.
        logmel: logmel.npy to write, (N, P, 96, 64) float16: P patches for each of N clips.
        card: dataset.json to write: licence, files, reference, counts.
        dataset: its name, for messages.
        row: of the catalogue.
        files: archives, folders or tables that the dataset is read from; none for the SoundFont of a package.
        checksum: as in the configuration; "none": the number of clips is not checked against the catalogue either.
        limit_clips: keep at most this many clips, drawn at random (seed 0); 0 for all.
        tolerate_clips: how many damaged clips may be left out.
        threads: how many decode and resample.

    Raises:
        UserError: when the files are not the dataset, or more clips are damaged than tolerated; it names them.
    """
    samples = round(row.clip_s * RATE_HZ)
    kept: list[int] = []
    faults: list[str] = []
    lengths_s: dict[int, float] = {}
    files = verify(files, dataset, checksum)
    with Tree(files, logmel.parent / ".unpacked") as tree:
        found = open_clips(dataset, row, tree, pinned=checksum != "none")
        table = found.table
        if LENGTH in table:
            raise UserError(f"{dataset}: its table has a column {LENGTH}, which is the name of one that is added: rename it")
        if limit_clips and limit_clips < len(table):
            table = table.sample(limit_clips, random_state=0).sort_index()
        shape = (len(table), patch_count(samples), PATCH_FRAMES, BANDS)
        require_space(logmel.parent, int(np.prod(shape)) * 2, f"dataset {dataset}")
        sounds = read_sounds(
            found,
            table,
            rate_hz=RATE_HZ,
            duration_s=row.clip_s,
            threads=threads,
            faults=faults,
            title=f"prepare {dataset}",
            lengths_s=lengths_s,
        )
        with replace(logmel) as temporary:
            store_patches(temporary, shape, sounds, kept)
            if faults:
                message = fault_report(dataset, faults, len(table))
                if len(faults) > tolerate_clips:
                    raise UserError(
                        f"{message}\nReplace them, or set {section_of(dataset)}.tolerate_clips to leave out up to this many."
                    )
                log.warning("%s\nThey are left out.", message)
    with replace(clips) as temporary:
        table.loc[kept].assign(**{LENGTH: [lengths_s[label] for label in kept]}).to_csv(temporary, index=False)
    facts = {"dataset": dataset, "licence": row.licence, "files": [str(file) for file in files], "reference": row.reference}
    counts = {"clips": len(kept), "absent": len(table) - len(kept) - len(faults), "damaged": faults, "patches": shape[1]}
    write_json(card, {**facts, **counts})


def store_patches(path: Path, shape: tuple[int, ...], sounds: Iterable[tuple[int, np.ndarray]], kept: list[int]) -> None:
    """Write the log-mel patches of sounds as they come, so that only one batch is in memory.

    Args:
        path: .npy file.
        shape: (N, P, 96, 64), N the largest number of sounds that may come.
        sounds: (row label, sound (T,)) of each.
        kept: gets the row labels of the sounds that are written.
    """
    frontend = LogMel()
    with open(path, "wb") as file:
        write_header(file, shape)
        for batch in batches(sounds, BATCH_CLIPS):
            labels, waves = zip(*batch, strict=True)
            file.write(frontend(torch.from_numpy(np.stack(waves))).numpy().astype(np.float16).tobytes())
            kept.extend(labels)
        file.seek(0)
        write_header(file, (len(kept), *shape[1:]))  # NumPy's header has room for another length


def write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
