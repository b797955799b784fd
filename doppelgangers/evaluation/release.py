"""Pack a trained encoder for others: `python -m doppelgangers.evaluation.release results/encoders/voice-0.25/seed=0`.

Writes pretrained/<name>/: encoder.safetensors in half precision, encoder.json with what the encoder is, scored and was
made with, and history.csv of its training. `hear.load_model` takes the folder. The same encoder, scores and code give the
same bytes.
"""

import argparse
import dataclasses
import logging
import math
import platform
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import torch

from doppelgangers.encoders.card import read_card
from doppelgangers.encoders.checkpoint import find_encoder, load_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import RATE_HZ, LogMel
from doppelgangers.errors import UserError
from doppelgangers.evaluation.table import DIGITS
from doppelgangers.files import checksum, replace
from doppelgangers.provenance import commit, record_of, versions

log = logging.getLogger(__name__)

FILES = {"encoder.safetensors", "encoder.json", "history.csv"}
NAME = r"[a-z][a-z0-9_.-]*"
COLUMNS = ["encoder", "seed", "task", "fold", "metric", "score"]
NOT_SHARES = {"d_prime"}  # metrics that are not a share of 1, so not given in percent
ROUNDING = 2**-11  # relative, of a number in half precision; beyond it, numbers of a tensor have underflowed
HARMLESS = 0.01  # relative change of an embedding


def release(encoder: Path, folder: Path, *, scores: Path, force: bool = False) -> float:
    """Write a released encoder, whole or not at all.

    Args:
        encoder: encoder.safetensors of `pretrain` or `initialize`, its card beside it.
        folder: to write, pretrained/<name>.
        scores: scores.csv; where it is absent or without this encoder, a warning is logged.
        force: whether an encoder that is released under that name is replaced.

    Returns:
        how far the packed encoder's embeddings are from the encoder's own, see `embedding_error`.

    Raises:
        UserError: when the encoder is broken or does not fit into half precision, or `folder` is in the way.
    """
    encoder, folder = Path(encoder), Path(folder)
    check_free(folder, force)
    source, card = load_encoder(encoder), read_card(encoder.with_suffix(".json"))
    weights = halve(source.state_dict(), encoder)
    history = encoder.with_name("history.csv")
    with replace(folder) as temporary:
        aside = temporary.with_name(f"{temporary.name}.old")
        try:
            temporary.mkdir()
            (temporary / "encoder.safetensors").write_bytes(safetensors.torch.save(weights))
            if history.exists():
                shutil.copyfile(history, temporary / "history.csv")
            about = {
                "precision": precision(weights),
                **read_scores(scores, card.encoder, card.seed),
                "provenance": {
                    "source_sha256": checksum(encoder),
                    "training": record_of(encoder),
                    "packing": {"commit": commit(), "python": platform.python_version(), "versions": versions()},
                },
            }
            dataclasses.replace(card, about=card.about | about).write(temporary / "encoder.json")
            error = embedding_error(load_encoder(temporary / "encoder.safetensors"), source)
            if folder.exists():
                folder.rename(aside)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    shutil.rmtree(aside, ignore_errors=True)
    return error


def check_free(folder: Path, force: bool) -> None:
    """Check that there is nothing at `folder`; with `force`, a released encoder may be there.

    Raises:
        UserError: when there is.
    """
    if not folder.exists():
        return
    if not folder.is_dir() or (other := {path.name for path in folder.iterdir()} - FILES):
        held = f" (it holds {min(other)})" if folder.is_dir() else ""
        raise UserError(f"{folder} exists and is no released encoder{held}: choose another --name or --into")
    if not force:
        raise UserError(f"{folder} is a released encoder already: choose another --name, or replace it with --force")


def halve(state: dict[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    """The weights that are matrices or convolutions in float16, all other tensors as they are.

    Means, variances, factors and biases (tensors of one dimension) stay float32: they are less than 1 % of the numbers
    from width 0.25 on, and a variance is divided by, so that its underflow would matter. A weight is only summed: one that
    underflows is lost without harm; a tensor in which that is most of the weight stays float32 too.

    Args:
        state: name -> tensor.
        path: of the encoder, for the message.

    Raises:
        UserError: for a number that is not finite, or beyond 65,504 where it has to fit into float16.
    """
    packed = {}
    for name, tensor in state.items():
        packed[name] = tensor.contiguous()
        if not tensor.is_floating_point():
            continue
        if not tensor.isfinite().all():
            raise UserError(f"{path}: {name} has numbers that are not finite, so its training failed; train it again")
        if tensor.ndim < 2:
            continue
        half = packed[name].half()
        if not half.isfinite().all():
            raise UserError(
                f"{path}: {name} has a weight of {tensor.abs().max():.4g}, and half precision ends at 65504; such an encoder "
                "did not train well: look at its history.csv, and lower pretrain.learning_rate"
            )
        if (half.float() - tensor).norm() <= ROUNDING * tensor.norm():
            packed[name] = half
    return packed


def precision(weights: dict[str, torch.Tensor]) -> dict[str, int]:
    """How many numbers there are of each floating-point type."""
    found: dict[str, int] = {}
    for tensor in filter(torch.is_floating_point, weights.values()):
        name = str(tensor.dtype).removeprefix("torch.")
        found[name] = found.get(name, 0) + tensor.numel()
    return found


def read_scores(path: Path, encoder: str, seed: int) -> dict[str, dict]:
    """`scores` of an encoder and `random_init_scores` of the same tasks, both empty where there are none.

    Each is task -> metric -> {mean, std, folds} over the folds that have a score, those of random_init over all its seeds, in
    percent where the metric is a share of 1; std (n - 1) is None for one fold, and both are None where they are not finite.

    Args:
        path: scores.csv.
        encoder, seed: whose rows are read.

    Raises:
        UserError: when the file is not a scores.csv.
    """
    if not Path(path).exists():
        log.warning("there is no %s, so the card has no scores: name one with --scores", path)
        return {"scores": {}, "random_init_scores": {}}
    try:
        rows = pd.read_csv(path, usecols=COLUMNS, dtype={"fold": str, "score": float})
    except ValueError as error:
        raise UserError(f"{path} is not a scores.csv ({error}): name one with --scores, or make it again") from error
    own, untrained = rows[(rows.encoder == encoder) & (rows.seed == seed)], rows[rows.encoder == "random_init"]
    if own.empty:
        log.warning("%s has no scores of %s with seed %d, so the card has none", path, encoder, seed)
    return {"scores": summary(own), "random_init_scores": summary(untrained[untrained.task.isin(own.task)])}


def summary(rows: pd.DataFrame) -> dict[str, dict]:
    """task -> metric -> {mean, std, folds} of rows of scores.csv."""
    result: dict[str, dict] = {}
    for (task, metric), group in rows.groupby(["task", "metric"]):
        values = group.score.dropna() * (1 if metric in NOT_SHARES else 100)
        with np.errstate(invalid="ignore"):  # d' can be infinite
            moments = {"mean": float(values.mean()), "std": float(values.std(ddof=1))}
        # JSON has no nan and no infinity.
        finite = {key: round(value, DIGITS) if math.isfinite(value) else None for key, value in moments.items()}
        result.setdefault(str(task), {})[str(metric)] = {**finite, "folds": len(values)}
    return result


@torch.no_grad()
def embedding_error(packed: Encoder, source: Encoder) -> float:
    """Largest distance of two encoders' embeddings of a sound, relative to the length of the source's.

    The sounds are 16 decaying sawtooth tones, half an octave apart from 55 Hz.
    """
    seconds = torch.arange(RATE_HZ) / RATE_HZ
    pitch_hz = 55 * 2 ** (torch.arange(16) / 2)
    sounds = (2 * ((pitch_hz[:, None] * seconds) % 1) - 1) * torch.exp(-3 * seconds)
    log_mel = LogMel()(sounds)[:, 0]
    expected = source(log_mel)
    return ((packed(log_mel) - expected).norm(dim=1) / expected.norm(dim=1)).max().item()


def main(arguments: list[str] | None = None) -> None:
    """The command.

    Raises:
        SystemExit: with a message, when there is something for the user to mend.
    """
    parser = argparse.ArgumentParser(
        prog="python -m doppelgangers.evaluation.release", description="Pack a trained encoder for others."
    )
    parser.add_argument("folder", metavar="FOLDER", help="results/encoders/<setting>/seed=<s>")
    parser.add_argument("--name", help="default: that of the encoder, such as voice-0.25")
    parser.add_argument("--scores", type=Path, help="default: scores.csv of the same results folder")
    parser.add_argument("--into", type=Path, default=Path("pretrained"), help="default: %(default)s")
    parser.add_argument("--force", action="store_true", help="replace an encoder that is released under that name")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        encoder = find_encoder(options.folder)
        folder = encoder.parent.absolute()  # not resolved: what a link points at may lie anywhere
        setting, results = folder.parent.name, folder.parent.parent.parent
        name = options.name or setting
        if not re.fullmatch(NAME, name):
            raise UserError(f"--name {name}: begin with a-z, and go on with a-z, 0-9, '_', '.' and '-'")
        scores = options.scores or results / "scores.csv"
        error = release(encoder, options.into / name, scores=scores, force=options.force)
    except UserError as mistake:
        sys.exit(f"ERROR: {mistake}")
    for path in sorted((options.into / name).iterdir()):
        print(f"wrote {path} ({path.stat().st_size:,} bytes)")
    verdict = "" if error <= HARMLESS else ", which is not harmless: use the encoder itself"
    print(f"half precision changes an embedding by {error:.1e} of its length at most{verdict}")


if __name__ == "__main__":
    main()
