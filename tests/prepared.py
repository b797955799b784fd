"""Datasets that the real stage prepared."""

import numpy as np
import pandas as pd

from doppelgangers.datasets.catalogue import DATASETS, Dataset
from doppelgangers.datasets.prepare import prepare
from doppelgangers.files import read_json

OWN = {name: Dataset(module=name, licence="the user's own", clip_s=1.0, reference="the user") for name in ("folder", "hear")}


def prepared(folder, dataset, files, *, checksum="none", limit_clips=0, tolerate_clips=0, threads=1):
    """Contents of what the stage writes: clips.csv, logmel.npy, dataset.json."""
    paths = [folder / name for name in ("clips.csv", "logmel.npy", "dataset.json")]
    row = DATASETS.get(dataset) or OWN[dataset]
    options = {"limit_clips": limit_clips, "tolerate_clips": tolerate_clips, "threads": threads}
    prepare(*paths, dataset=dataset, row=row, files=files, checksum=checksum, **options)
    return pd.read_csv(paths[0]), np.load(paths[1]), read_json(paths[2])
