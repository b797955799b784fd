"""The weights of the tagger mn04, which are not part of this repository, and the names of its classes.

The environment variable EFFICIENTAT_WEIGHTS names a folder with mn04_as_mAP_432.pt of EfficientAT's release v0.0.1 and
class_labels_indices.csv of AudioSet (in EfficientAT's repository).
"""

import csv
import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("EFFICIENTAT_WEIGHTS", "")
WEIGHTS = Path(FOLDER, "mn04_as_mAP_432.pt")
needs_weights = pytest.mark.skipif(not FOLDER, reason="EFFICIENTAT_WEIGHTS is not set: the weights of mn04 are not at hand")


def class_numbers() -> dict[str, int]:
    """Name of a class of AudioSet -> its output."""
    with open(Path(FOLDER, "class_labels_indices.csv"), newline="") as file:
        return {row["display_name"]: int(row["index"]) for row in csv.DictReader(file)}
