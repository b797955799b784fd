"""Stage: how uncertain taggers are of what made the sounds of each set, and how synthetic sets differ from datasets in it."""

from pathlib import Path

import numpy as np
import pandas as pd

from doppelgangers.analysis.effect_size import bootstrap_interval, cliffs_delta
from doppelgangers.analysis.tags import Tags, read_tags
from doppelgangers.analysis.uncertainty import uncertainty
from doppelgangers.files import replace

SUMMARY = ["tagger", "definition", "sounds", "kind", "architecture", "delta", "count", "mean", "low", "high", "median"]
DIFFERENCES = ["tagger", "definition", "sounds", "against", "cliff", "low", "high"]
VALUES = ["tagger", "definition", "sounds", "sound", "value"]


def measure_uncertainty(
    summary: Path,
    differences: Path,
    values: Path,
    *,
    tags: dict[str, list[Path]],
    sounds: list[Path],
    definitions: list[str],
    resamples: int,
) -> None:
    """Measure the uncertainty of every sound, of pairs of view a, and compare each synthetic set with each dataset.

    Args:
        summary: .csv to write: mean of each set with the limits of its interval of 95 percent, and median.
        differences: .csv to write: Cliff's delta with its limits; above 0 means that synthetic sounds are more uncertain.
        values: .csv to write: a row for each sound, with its row in sounds.npy.
        tags: of each tagger, for each set: the .npz of `tag_sounds`.
        sounds: sounds.csv of each set, in the same order.
        definitions: of `uncertainty.DEFINITIONS`.
        resamples: of the bootstrap.

    Raises:
        UserError: when tags and sounds do not belong together.
    """
    rows: dict[str, list[list]] = {"summary": [], "differences": [], "values": []}
    for tagger, files in tags.items():
        sets = [read_tags(file, table) for file, table in zip(files, sounds, strict=True)]
        for definition in definitions:
            found = {heard.name: uncertainty(definition, heard.logits, heard.outputs)[heard.views != "b"] for heard in sets}
            rows["summary"] += [[tagger, definition, *summarise(heard, found[heard.name], resamples)] for heard in sets]
            rows["differences"] += [[tagger, definition, *row] for row in compare(sets, found, resamples)]
            for heard in sets:
                kept = np.flatnonzero(heard.views != "b")
                rows["values"] += [[tagger, definition, heard.name, *row] for row in zip(kept, found[heard.name], strict=True)]
    for path, columns, name in (
        (summary, SUMMARY, "summary"),
        (differences, DIFFERENCES, "differences"),
        (values, VALUES, "values"),
    ):
        with replace(path) as temporary:
            pd.DataFrame(rows[name], columns=columns).to_csv(temporary, index=False, float_format="%.6g")


def summarise(heard: Tags, values: np.ndarray, resamples: int) -> list:
    """Cells of the summary of a set from `sounds` on."""
    interval = bootstrap_interval(np.mean, values, resamples=resamples)
    about = [heard.name, heard.kind, heard.architecture, heard.delta, len(values)]
    return [*about, values.mean(), *interval, np.median(values)]


def compare(sets: list[Tags], values: dict[str, np.ndarray], resamples: int) -> list[list]:
    """Cells of the differences from `sounds` on, for each synthetic set and each dataset."""
    rows = []
    for ours in (heard.name for heard in sets if heard.kind == "synthetic"):
        for theirs in (heard.name for heard in sets if heard.kind == "dataset"):
            samples = values[ours], values[theirs]
            interval = bootstrap_interval(cliffs_delta, *samples, resamples=resamples)
            rows.append([ours, theirs, cliffs_delta(*samples), *interval])
    return rows
