"""The training loop: on a CPU, on one GPU or on several. It can continue from any step."""

import contextlib
import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

import torch

from doppelgangers.encoders.card import Card
from doppelgangers.encoders.checkpoint import load_state, save_encoder
from doppelgangers.encoders.device import allow_tf32
from doppelgangers.errors import UserError
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.distributed import any_rank, choose_device
from doppelgangers.pretraining.history import Failed, Reporter, Row
from doppelgangers.pretraining.launch import launch
from doppelgangers.pretraining.learner import Learner, steps_of
from doppelgangers.pretraining.losses import TERMS
from doppelgangers.pretraining.memory import bytes_per_pair, require_memory
from doppelgangers.pretraining.saving import Saver
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.snapshots import Snapshots
from doppelgangers.pretraining.sources import Pairs, Source, batches
from doppelgangers.pretraining.stopwatch import Stopwatch

log = logging.getLogger(__name__)

CHECKPOINT_EVERY_S = 30.0  # a killed run loses no more than this; one that is told to end (SIGTERM) loses nothing


@dataclasses.dataclass(frozen=True)
class Training:
    """What is trained, on what, and where it is written: a plain value, which other processes can receive.

    Attributes:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        history: path of history.csv to write (`history.Row`).
        card: what is known of the encoder before it is trained; its `settings` say what pairs and code it depends on.
        settings: of the optimisation.
        width: of the encoder.
        source: of the pairs.
        augmentation: of the views.
        checkpoint_every_s: seconds between two side checkpoints.
    """

    encoder: Path
    history: Path
    card: Card
    settings: PretrainSettings
    width: float
    source: Source
    augmentation: Augmentation
    checkpoint_every_s: float = CHECKPOINT_EVERY_S

    @property
    def seed(self) -> int:
        """Of the initial weights, of the order of stored pairs, and of crops and augmentations."""
        return self.card.seed

    @property
    def whole_card(self) -> Card:
        """The card with all that the training depends on, as plain values; a checkpoint has to agree with its `settings`."""
        settings = self.settings.model_dump(exclude={"source", "nodes", "snapshots"})  # pairs are in the card already
        own = {"width": self.width, "seed": self.seed, "augmentation": self.augmentation.name}
        reverberation = self.augmentation.impulse_responses is not None
        return dataclasses.replace(
            self.card, settings={**settings, **own, "reverberation": reverberation, **self.card.settings}
        )

    def open_pairs(self) -> Pairs:
        """The pairs of this training."""
        return self.source.open(self.settings.batch_pairs, self.seed)

    def new_learner(self, device: torch.device, rank: int = 0, ranks: int = 1) -> Learner:
        """A learner of one rank, before its first step."""
        return Learner(
            self.settings,
            width=self.width,
            seed=self.seed,
            augmentation=self.augmentation,
            device=device,
            rank=rank,
            ranks=ranks,
        )


def train(training: Training) -> None:
    """Train an encoder so that the two views of a pair lie close together and different pairs lie far apart.

    A side checkpoint beside the encoder lets a killed run of the same settings continue; on a CPU the weights at the end are
    those of an undisturbed run.

    Raises:
        UserError: when a term of the loss or a weight is not finite, or all embeddings are alike (it names the first step);
            when there are fewer GPUs than asked for; when the batch does not fit into memory.
    """
    device, ranks = choose_device(training.settings)
    nodes, folder = training.settings.nodes, training.encoder.parent
    launch(train_rank, ranks, ranks, device, training, device=device, nodes=nodes, folder=folder)


def train_rank(rank: int, ranks: int, device: torch.device, training: Training) -> None:
    """The part of one process in `train`."""
    allow_tf32(training.settings.precision == "tf32")
    torch.backends.cudnn.benchmark = True  # all batches have one shape
    try:
        pairs = training.open_pairs()
        require_room(training, pairs.samples, device, ranks)
        run_steps(training, pairs, device, rank, ranks)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"the GPU's memory is full with pretrain.batch_pairs = {training.settings.batch_pairs}: lower it or encoder.width, "
            f"or end other programs that use the GPU ({str(error).splitlines()[0]})"
        ) from error


def require_room(training: Training, samples: int, device: torch.device, ranks: int) -> None:
    """Check that a batch fits into memory, with a learner that is thrown away; augmentations keep nothing, so it has none.

    Raises:
        UserError: saying how many pairs fit.
    """
    settings = training.settings.model_copy(update={"compile": False})
    learner = dataclasses.replace(training, settings=settings, augmentation=Augmentation("none")).new_learner(device)
    per_pair = bytes_per_pair(lambda zeros: learner.alone(learner.patches(zeros, 0))[0][2], samples, device)
    require_memory(settings.batch_pairs, per_pair, device, ranks, settings.nodes)


def run_steps(training: Training, pairs: Pairs, device: torch.device, rank: int, ranks: int) -> None:
    """All steps of one rank; the first one also reports and saves."""
    settings, card, steps = training.settings, training.whole_card, steps_of(training.settings)
    part = rank if settings.gpu_pairs == "own" else 0  # of the batch, and of the augmentations that are drawn
    learner = training.new_learner(device, part, ranks)
    side, kept = (training.encoder.with_name(name) for name in ("checkpoint.pt", "checkpoint.other.pt"))
    snapshots, start, rows = Snapshots(training.encoder, card, settings), 0, []
    state = load_state(side, card.settings, device)
    if state and not snapshots.has_all_until(state["step"]):
        log.info("of the snapshots until step %d one is missing: beginning from the beginning", state["step"])
        state = None
    if state:
        start, rows = state["step"], [Row(**row) for row in state["rows"]]
        learner.restore(state)
        log.info("continuing at step %d of %d", start, steps)
    elif rank == 0 and side.exists():
        side.replace(kept)
        log.info("it is kept as %s until this training ends: to continue it, set them back and give it its old name", kept)
    if rank == 0 and not start:
        snapshots.clear()
    name = f"{card.encoder} seed {training.seed}"
    reporter = Reporter(training.history, name, settings, start, rows) if rank == 0 else None
    watch, saver = Stopwatch(device), Saver(side, card.settings, training.checkpoint_every_s)
    with saver.wait_for_sigterm():
        for step, (sounds, source_s) in enumerate(batches(pairs, range(start, steps), device, part, ranks), start + 1):
            watch.end("wait")
            learning_rate = learner.learning_rate
            terms, embeddings = learner.step(sounds, step, watch)
            logged = step % settings.log_every_steps == 0 or step == steps
            shares = watch.shares() if logged else None  # in every rank, or its marks would pile up
            ending = any_rank(saver.told_to_end) and step < steps
            if reporter is not None:
                reporter.note(terms, learner.largest(), source_s)
                with discarding(side):
                    if shares is not None:
                        reporter.report(step, learning_rate, embeddings, shares)
                    if step in snapshots.pairs:
                        reporter.check(step)
                        snapshots.take(step, learner.encoder, named(terms))
                    if ending or (saver.due and step < steps):
                        reporter.check(step)
                        saver.save({"step": step, "rows": list(map(dataclasses.asdict, reporter.rows)), **learner.state()})
            if ending:
                any_rank(True)  # the first rank has saved
                saver.end(step)
    if reporter is not None:
        reporter.finish()
        card = dataclasses.replace(card, pairs=steps * settings.batch_pairs, metrics=named(terms))
        snapshots.publish()
        save_encoder(training.encoder, learner.encoder, card)
        side.unlink(missing_ok=True)
        snapshots.clear()
        kept.unlink(missing_ok=True)


def named(terms: torch.Tensor) -> dict[str, float]:
    """The terms of a batch's loss, as cards have them."""
    return dict(zip(TERMS, terms.tolist(), strict=True))


@contextlib.contextmanager
def discarding(checkpoint: Path) -> Iterator[None]:
    """Remove the checkpoint of a training that has failed: it leads there again, and its settings have to change."""
    try:
        yield
    except Failed:
        checkpoint.unlink(missing_ok=True)
        raise
