"""ESC-50 (Piczak 2015): 2,000 recordings of 5 s in 50 classes, five official folds."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd

from doppelgangers.audio import decode
from doppelgangers.datasets.archive import open_archive
from doppelgangers.errors import UserError

META = "meta/esc50.csv"
META_MD5 = "54a0d0055a10bb7df84ad340a148722e"  # of the pinned release; the archive around it is packed on demand
COLUMNS = ("filename", "fold", "target", "category")


def load(source: Path, pinned: bool):
    """Clips and how to read them; see `datasets.prepare`. The label is `category`, the folds are the official ones.

    Raises:
        UserError: when the table is not ESC-50's, or a recording that it names is missing.
    """
    root = open_archive(source, META)
    text = (root / META).read_bytes()
    if pinned and hashlib.md5(text).hexdigest() != META_MD5:
        raise UserError(
            f'{source}: {META} is not that of ESC-50; for another set in its layout, set datasets.esc50.checksum to "none"'
        )
    table = pd.read_csv(io.BytesIO(text))
    if missing := [column for column in COLUMNS if column not in table]:
        raise UserError(f"{source}: {META} lacks the columns {', '.join(missing)}")
    if not table.fold.isin(range(1, 6)).all():
        raise UserError(f"{source}: {META} names folds other than 1 to 5: {sorted(set(table.fold) - set(range(1, 6)))}")
    there = {file.name for file in (root / "audio").iterdir()}
    if absent := sorted(set(table.filename) - there):
        raise UserError(f"{source}: {len(absent)} of {len(table)} recordings are missing, the first is audio/{absent[0]}")
    clips = pd.DataFrame({"clip": table.filename, "fold": table.fold, "category": table.category})

    def read(clip) -> tuple[np.ndarray, int]:
        return decode((root / "audio" / clip.clip).read_bytes(), clip.clip)

    return clips, read
