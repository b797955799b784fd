"""The training loop: on a CPU, on one GPU or on several, resumable at any step."""

import contextlib
import dataclasses
import logging
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import load_state, save_encoder, save_state
from doppelgangers.errors import UserError
from doppelgangers.pretraining.distributed import choose_device, launch
from doppelgangers.pretraining.history import Reporter
from doppelgangers.pretraining.learner import Learner, Settings
from doppelgangers.pretraining.memory import bytes_per_pair, require_memory
from doppelgangers.pretraining.sources import batches, open_pairs
from doppelgangers.pretraining.stopwatch import Stopwatch

log = logging.getLogger(__name__)

UNAUGMENTED = {"name": "none", "impulse_responses": None}
CHECKPOINT_EVERY_S = 30.0  # a killed run loses no more than this; one that is told to end (SIGTERM) loses nothing


def train(
    encoder: Path,
    history: Path,
    *,
    settings: Settings,
    sounds: dict,
    augmentation: dict,
    card: Card,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """Train an encoder so that the two views of a pair lie close and different pairs lie far apart.

    A side checkpoint beside `encoder` lets a killed run continue; on a CPU it ends with the same weights as an undisturbed one.

    Args:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        history: path of history.csv to write (`history.HISTORY`).
        settings: of the training.
        sounds: arguments of `sources.open_pairs`.
        augmentation: arguments of `augment.build_augmentation`.
        card: what is known of the encoder before it is trained; with `settings`, that a checkpoint has to agree with.
        checkpoint_every_s: seconds between two side checkpoints.

    Raises:
        UserError: when a term of the loss is not finite or all embeddings are alike (it names the step and the terms); when
            there are fewer GPUs than asked for; when the batch does not fit into memory; when there is a checkpoint that
            was made with other settings.
    """
    device, ranks = choose_device(settings.gpus)
    try:
        require_room(settings, sounds, device, ranks)
        files = Path(encoder), Path(history)
        launch(train_rank, ranks, ranks, device, files, settings, sounds, augmentation, card, checkpoint_every_s)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"the GPU's memory is full with pretrain.batch_pairs = {settings.batch_pairs}: lower it, or encoder.width, or end "
            f"what else runs there ({str(error).splitlines()[0]})"
        ) from error


def require_room(settings: Settings, sounds: dict, device: torch.device, ranks: int) -> None:
    """See that a batch fits into memory, with a learner that is thrown away; what augmentations take is not kept.

    Raises:
        UserError: saying how many pairs fit.
    """
    learner = Learner(dataclasses.replace(settings, compile=False), UNAUGMENTED, device)
    samples = open_pairs(batch=settings.batch_pairs, seed=settings.seed, **sounds).samples
    per_pair = bytes_per_pair(lambda zeros: learner.loss(learner.patches(zeros, 0))[0][2], samples, device)
    require_memory(settings.batch_pairs, per_pair, device, ranks)


def train_rank(
    rank: int,
    ranks: int,
    device: torch.device,
    files: tuple[Path, Path],
    settings: Settings,
    sounds: dict,
    augmentation: dict,
    card: Card,
    checkpoint_every_s: float,
) -> None:
    """The part of one process in `train`; the first one also writes and reports."""
    torch.backends.cudnn.benchmark = True  # all batches have one shape
    encoder, history = files
    learner = Learner(settings, augmentation, device, rank, ranks)
    pairs = open_pairs(batch=settings.batch_pairs, seed=settings.seed, **sounds)
    side = encoder.with_name("checkpoint.pt")
    start, rows = 0, []
    if state := load_state(side, card.settings, device):
        start, rows = state["step"], state["rows"]
        learner.restore(state)
        log.info("continuing at step %d of %d", start, settings.steps)
    reporter = (
        Reporter(history, f"{card.encoder} seed {settings.seed}", settings.batch_pairs, settings.steps, start, rows)
        if rank == 0
        else None
    )
    watch = Stopwatch(device)
    saved = time.monotonic()
    with terminated() as asked_to_end:
        for step, (batch, seconds) in enumerate(batches(pairs, range(start, settings.steps), device, rank, ranks), start + 1):
            watch.end("wait")
            lr = learner.rate.get_last_lr()[0]
            terms, embeddings = learner.step(batch, step, watch)
            logged = step % settings.log_every_steps == 0 or step == settings.steps
            shares = watch.shares() if logged else None  # in every rank, or its marks would pile up
            if rank:
                continue
            reporter.note(terms, seconds)
            if logged:
                reporter.report(step, lr, embeddings, shares)
            due = time.monotonic() - saved > checkpoint_every_s or asked_to_end
            if due and step < settings.steps:
                save_state(side, {"step": step, "rows": reporter.rows, **learner.state()}, card.settings)
                saved = time.monotonic()
                if asked_to_end:
                    log.warning("told to end: saved step %d of %d, from which the next run continues", step, settings.steps)
                    raise SystemExit(128 + signal.SIGTERM)
    if rank == 0:
        last = reporter.finish()
        metrics = {name: last[name] for name in ("align", "uniform", "loss")}
        seen = settings.steps * settings.batch_pairs
        save_encoder(encoder, learner.encoder, dataclasses.replace(card, pairs=seen, metrics=metrics))
        side.unlink(missing_ok=True)


@contextlib.contextmanager
def terminated() -> Iterator[list]:
    """Yield a list that gets an entry when the process is told to end (SIGTERM), as a cluster does before it kills a job."""
    asked: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    except ValueError:  # signals reach the main thread only
        yield asked
        return
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
