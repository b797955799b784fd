"""What a task of the HEAR benchmark says of itself in task_metadata.json, and what of the configuration contradicts it."""

from collections.abc import Mapping
from typing import Any

from doppelgangers.datasets.catalogue import OF_ONE_LABEL
from doppelgangers.errors import UserError

SPLITS = ["train", "valid", "test"]
PREDICTION_TYPES = ("multiclass", "multilabel")
MODES = {"trainvaltest": "train, valid and test", "presplit_kfold": "folds", "new_split_kfold": "folds"}
# HEAR's names of scores and ours; it has none for our others.
METRICS = {
    "top1_acc": "accuracy",
    "mAP": "mAP",
    "d_prime": "d_prime",
    "aucroc": "auroc",
    "pitch_acc": "pitch_acc",
    "chroma_acc": "chroma_acc",
}


def check_metadata(metadata: Mapping[str, Any], file: str) -> None:
    """Refuse a task of a kind that there are no probes for, and one whose entries contradict each other.

    Raises:
        UserError: naming the file or the task, and the entry.
    """
    if missing := {"task_name", "embedding_type", "prediction_type", "splits"} - set(metadata):
        raise UserError(f"{file} has no {', '.join(sorted(missing))}")
    name, embedding, kind = (metadata[key] for key in ("task_name", "embedding_type", "prediction_type"))
    if embedding != "scene":
        raise UserError(f"{name} has labels of moments (embedding_type {embedding}), not of whole sounds")
    if kind not in PREDICTION_TYPES:
        raise UserError(f"{name} has the prediction_type {kind}, and probes are for {' and '.join(PREDICTION_TYPES)}")
    duration_s, scores = metadata.get("sample_duration"), metadata.get("evaluation") or []
    if duration_s is not None and not (type(duration_s) in (int, float) and duration_s > 0):
        raise UserError(f"{name} has the sample_duration {duration_s!r}, which is neither a number of seconds nor null")
    for entry, names in (("splits", metadata["splits"]), ("evaluation", scores)):
        if not isinstance(names, list) or not all(isinstance(text, str) for text in names):
            raise UserError(f"{name} has the {entry} {names!r}, which is not a list of names")
    splits, mode = order_splits(name, set(metadata["splits"])), metadata.get("split_mode")
    if mode is not None and MODES.get(mode) != ("train, valid and test" if splits == SPLITS else "folds"):
        raise UserError(f"{name} has the split_mode {mode}, and the splits {', '.join(metadata['splits'])}")
    if splits != SPLITS and metadata.get("nfolds") not in (None, len(splits)):
        raise UserError(f"{name} has nfolds {metadata['nfolds']}, and {len(splits)} splits")


def order_splits(name: str, splits: set[str], whole: bool = True) -> list[str]:
    """The splits in HEAR's order. While they are not the whole set, only their names have to be right.

    Raises:
        UserError: when they are neither train, valid, test nor fold00, fold01, ... without a gap.
    """
    folds = [f"fold{number:02d}" for number in range(len(splits) if whole else 100)]
    for expected in (SPLITS, folds):
        if splits and (splits == set(expected) or (not whole and splits <= set(expected))):
            return expected
    found = ", ".join(sorted(splits)) or "no sounds at all"
    raise UserError(f"{name}: expected the splits train, valid, test or fold00, fold01, ..., found {found}")


def check_told(metadata: Mapping[str, Any], section: str, clip_s: float, multilabel: bool, metric: str) -> None:
    """Compare a task with what the configuration says of it. Longer clips are padded, which loses nothing.

    Args:
        metadata: content of task_metadata.json.
        section: of the configuration, for messages.
        clip_s, multilabel: what it says.
        metric: the first that it names, which is that of the table.

    Raises:
        UserError: with the keys that contradict the task, and the values that they should have.
    """
    changes = {}
    several, duration_s = metadata["prediction_type"] == "multilabel", metadata.get("sample_duration")
    fit = [METRICS[name] for name in metadata.get("evaluation") or [] if name in METRICS]
    fit = sorted((name for name in fit if not (several and name in OF_ONE_LABEL)), key="d_prime".__eq__)
    if several != multilabel:
        changes["multilabel"] = str(several).lower()
    if several != multilabel or (fit and fit != ["d_prime"] and metric not in fit):
        changes["metrics"] = f"[{', '.join(fit or ['mAP'])}]"
    if duration_s and clip_s < duration_s:
        changes["clip_s"] = f"{duration_s:g}"
    if changes:
        said = ", ".join(f"{key} {metadata.get(key)}" for key in ("prediction_type", "sample_duration", "evaluation"))
        keys = ", ".join(f"{section}.{key}: {value}" for key, value in changes.items())
        raise UserError(f"task_metadata.json of {metadata['task_name']} says {said}: set {keys}")
