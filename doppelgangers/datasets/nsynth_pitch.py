"""NSynth Pitch, 5 hours (HEAR 2021): 5,000 of the 305,979 notes of NSynth (Engel et al. 2017), 88 pitches."""

import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.clips import Clips, clips_of_files, named_files
from doppelgangers.datasets.folds import subsample

CLIPS = {"train": 4000, "valid": 500, "test": 500}  # 4.44, 0.56 and 0.56 hours
LOWEST, HIGHEST = 21, 108
STEM = r"(?P<instrument>.+)-(?P<pitch>\d+)-(?P<velocity>\d+)"


def load(tree: Tree, pinned: bool) -> Clips:
    """Clips and how to read them; see `datasets.clips`. The label is `pitch`, a MIDI note number from 21 to 108.

    The notes are those that HEAR drew (by its seeds) from the splits of NSynth. No instrument of train is in the other two.

    Raises:
        UserError: when a split is missing, or some recordings have names of another form.
    """
    splits = []
    for split, count in CLIPS.items():
        notes = named_files(tree, f"nsynth-{split}/audio", STEM, like="bass_synthetic_033-022-050")
        notes = notes.assign(fold=split, pitch=notes.pitch.astype(int), velocity=notes.velocity.astype(int))
        notes = notes[notes.pitch.between(LOWEST, HIGHEST)]
        splits.append(notes[notes["clip"].isin(subsample(notes["clip"].tolist(), split, count))])
    return clips_of_files(tree, pd.concat(splits, ignore_index=True))
