"""Sets of sounds as the stages before write them, for tests."""

import json

import numpy as np
import pandas as pd

from doppelgangers.analysis.feature_units import UNITS


def write_set(folder, name, kind, sounds):
    """Write a set; of `synthetic` ones every second row is the other view. Returns its sounds.csv.

    Args:
        folder: to write.
        name: of the set.
        kind: of the set.
        sounds: (N, T) in [-1, 1].
    """
    folder.mkdir(parents=True)
    np.save(folder / "sounds.npy", np.round(32767 * np.asarray(sounds)).astype(np.int16))
    views = ["ab"[row % 2] if kind == "synthetic" else "" for row in range(len(sounds))]
    columns = {"sound": range(len(sounds)), "clip": [f"00{row}" for row in range(len(sounds))], "view": views}
    pd.DataFrame(columns).to_csv(folder / "sounds.csv", index=False)
    (folder / "sounds.json").write_text(json.dumps({"sounds": name, "kind": kind}))
    return folder / "sounds.csv"


def write_features(path, values):
    """Write features (N, F) as `measure_features` does."""
    table = pd.DataFrame(values, columns=list(UNITS))
    table.insert(0, "sound", range(len(table)))
    table.to_csv(path, index=False)
    return path
