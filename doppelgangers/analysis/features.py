"""Stage: features of the sounds of a set. Essentia works in processes of their own (`spectral`)."""

import logging
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from doppelgangers.analysis.feature_units import UNITS
from doppelgangers.errors import UserError
from doppelgangers.files import replace

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "doppelgangers.analysis.spectral"

log = logging.getLogger(__name__)


def measure_features(features: Path, *, sounds: Path, processes: int = 1) -> None:
    """Measure the features of every sound of a set, in some processes; the result does not depend on their number.

    Args:
        features: .csv to write: `sound` (row, from 0), then a column for each feature (`feature_units.UNITS`); a cell is empty
            where a sound does not have the feature.
        sounds: sounds.npy of a set, (N, T) int16 at 16 kHz.
        processes: how many.

    Raises:
        UserError: when a process fails.
    """
    count = len(np.load(sounds, mmap_mode="r"))
    edges = np.linspace(0, count, min(processes, count) + 1).astype(int)
    with tempfile.TemporaryDirectory(prefix="features.") as folder:
        files = [Path(folder, f"{first}.npy") for first in edges[:-1]]
        with ThreadPoolExecutor(len(files)) as pool:
            list(pool.map(run_part, [sounds] * len(files), edges[:-1], edges[1:], files))
        table = pd.DataFrame(np.concatenate([np.load(file) for file in files]), columns=list(UNITS))
    empty = table.isna().sum()
    lacking = [f"{name} ({number})" for name, number in empty.items() if number]
    log.info("%s: %d sounds; of so many a feature is empty: %s", sounds, count, ", ".join(lacking) or "none")
    table.insert(0, "sound", range(count))
    with replace(features) as temporary:
        table.to_csv(temporary, index=False, float_format="%.7g")


def run_part(sounds: Path, first: int, last: int, features: Path) -> None:
    """Have a process measure the rows from `first` to before `last`; one thread each, so that the processes share the cores."""
    command = [sys.executable, "-m", PROGRAM, str(sounds), str(first), str(last), str(features)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    surroundings = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise UserError(f"{sounds}, rows {first} to {last - 1}: no features (exit status {done.returncode}): {last_line}")
