"""Stage: contrastive pretraining of one encoder, on a CPU or one GPU."""

import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from doppelgangers.checkpoint import load_state, save_encoder, save_state
from doppelgangers.diagnostics import dead_share, effective_rank
from doppelgangers.encoder import Encoder
from doppelgangers.frontend import LogMel
from doppelgangers.generate import PairGenerator
from doppelgangers.history import HISTORY, check_loss, find_warnings, record, write_history
from doppelgangers.losses import OBJECTIVES, align_uniform
from doppelgangers.store import PairStore

log = logging.getLogger(__name__)

CHECKPOINT_EVERY_S = 30.0  # a killed run loses no more than this


def pretrain(
    encoder: Path,
    history: Path,
    *,
    architecture: str,
    delta: float,
    seed: int,
    store: Path | None,
    generator: dict,
    width: float,
    source: str,
    pairs: int,
    batch_pairs: int,
    objective: str,
    temperature: float,
    optimizer: str,
    learning_rate: float,
    weight_decay: float,
    schedule: str,
    warmup: float,
    milestones: list[float],
    log_every_steps: int,
    code: str = "",
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> None:
    """Train an encoder so that the two views of a pair lie close and different pairs lie far apart.

    A side checkpoint beside `encoder` lets a killed run continue; on a CPU it ends with the same weights as an
    undisturbed one.

    Args:
        encoder: path of encoder.safetensors to write (encoder.json comes with it).
        history: path of history.csv to write: step, pairs seen, align, uniform, loss, lr, pairs/s, effective rank and
            share of dead dimensions (`diagnostics`) of the batch's embeddings.
        architecture, delta: of the pairs.
        seed: of the initial weights and of the order in which stored pairs are seen.
        store: manifest.json of the pairs, for source "store".
        generator: settings of `generate.PairGenerator`, for source "stream".
        width: of the encoder.
        source: "store" (in a new random order every epoch) or "stream" (pair indices in order, each seen once).
        pairs: pairs seen in all; the last step that would go beyond is left out.
        objective: a name of `losses.OBJECTIVES`; align and uniform are measured under each.
        temperature: of nt_xent.
        batch_pairs, optimizer, learning_rate, weight_decay, schedule, warmup, milestones: of the optimisation.
        log_every_steps: steps between two rows of the history.
        code: digest of the code that runs.
        checkpoint_every_s: seconds between two side checkpoints.

    Raises:
        UserError: when the loss or a term is not finite, or all embeddings are alike; it names the step and both terms.
    """
    settings = {
        key: value for key, value in locals().items() if key not in ("encoder", "history", "store", "checkpoint_every_s")
    }
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    steps = pairs // batch_pairs
    model = Encoder(width, seed).to(device, memory_format=torch.channels_last).train()
    frontend = LogMel().to(device)
    update = OPTIMIZERS[optimizer](model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(update, learning_rate_schedule(schedule, steps, warmup, milestones))
    batches = open_pairs(source, store, architecture, delta, generator, batch_pairs, seed)

    side = Path(encoder).with_name("checkpoint.pt")
    start, rows = 0, []
    if state := load_state(side, settings, device):
        start, rows = state["step"], state["rows"]
        model.load_state_dict(state["model"])
        update.load_state_dict(state["optimizer"])
        rate.load_state_dict(state["schedule"])
        log.info("continuing at step %d of %d", start, steps)
    board = SummaryWriter(Path(encoder).parent / "tensorboard", purge_step=start)

    warned: set[str] = set()
    begun = saved = time.monotonic()
    name = f"{architecture} {delta:g} seed {seed}"
    with (
        ThreadPoolExecutor(1) as pool,
        tqdm(total=steps * batch_pairs, initial=start * batch_pairs, desc=name, unit="pair", smoothing=0.05) as bar,
    ):
        waiting = pool.submit(batches, start)
        for step in range(start, steps):
            sounds = waiting.result()
            if step + 1 < steps:
                waiting = pool.submit(batches, step + 1)  # read or synthesized while this step trains
            sounds = sounds.to(device, non_blocking=True)
            terms, embeddings = training_step(model, frontend, update, sounds, objective, temperature)
            lr = rate.get_last_lr()[0]
            rate.step()
            bar.update(batch_pairs)
            if (step + 1) % log_every_steps == 0 or step + 1 == steps:
                speed = (step + 1 - start) * batch_pairs / (time.monotonic() - begun)
                align, uniform, loss = (term.item() for term in terms)
                check_loss(name, step=step + 1, align=align, uniform=uniform, loss=loss)
                spread = effective_rank(embeddings), dead_share(embeddings)
                rows.append(record(step + 1, batch_pairs, (align, uniform, loss), lr, speed, spread))
                for kind, message in find_warnings(rows).items():
                    if kind not in warned:
                        log.warning("%s: %s", name, message)
                    warned.add(kind)
                bar.set_postfix(align=f"{align:.3f}", uniform=f"{uniform:.3f}")
                for key in HISTORY[2:]:
                    board.add_scalar(key, rows[-1][key], step + 1)
            if time.monotonic() - saved > checkpoint_every_s and step + 1 < steps:
                parts = {"model": model.state_dict(), "optimizer": update.state_dict(), "schedule": rate.state_dict()}
                save_state(side, {"step": step + 1, "rows": rows, **parts}, settings)
                saved = time.monotonic()
    board.close()

    write_history(history, rows)
    last = rows[-1]
    card = {
        "encoder": f"{architecture}-{delta:g}",
        "source": "synthetic",
        "architecture": architecture,
        "delta": delta,
        "augmentation": "none",
        "seed": seed,
        "pairs": steps * batch_pairs,
        "width": width,
        "frontend": "vggish log-mel, 16 kHz",
        "settings": settings,
        "metrics": {"align": last["align"], "uniform": last["uniform"], "loss": last["loss"]},
    }
    save_encoder(encoder, model, card)
    side.unlink(missing_ok=True)


def training_step(
    model: Encoder,
    frontend: LogMel,
    update: torch.optim.Optimizer,
    sounds: torch.Tensor,
    objective: str,
    temperature: float,
) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """One update on sounds (N, 2, T); returns (align, uniform, loss) and the embeddings (2N, D), still on the device."""
    with torch.no_grad():
        log_mel = frontend(sounds.transpose(0, 1).flatten(0, 1))  # both views in one batch (2N, P, 96, 64)
    # ASSUME: a training sound is one patch; of a longer one the first patch is used.
    embeddings = model(log_mel[:, 0])
    a, b = embeddings.chunk(2)
    align, uniform = align_uniform(a, b)
    loss = OBJECTIVES[objective](a, b, align, uniform, temperature)
    update.zero_grad(set_to_none=True)
    loss.backward()
    update.step()
    return (align.detach(), uniform.detach(), loss.detach()), embeddings.detach()


def open_pairs(source: str, store: Path | None, architecture: str, delta: float, generator: dict, batch: int, seed: int):
    """A function step -> sounds (batch, 2, T) float32."""
    if source == "stream":
        pairs = PairGenerator(architecture, delta, **generator)
        return lambda step: torch.from_dlpack(pairs.render(np.arange(step * batch, (step + 1) * batch)))
    stored = PairStore(store)
    per_epoch = len(stored) // batch

    def read(step: int) -> torch.Tensor:
        epoch, position = divmod(step, per_epoch)
        order = np.random.default_rng([seed, epoch]).permutation(len(stored))
        return torch.from_numpy(stored.read(order[position * batch : (position + 1) * batch]))

    return read


def sgd(parameters, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """SGD without momentum, the paper's."""
    return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay)


OPTIMIZERS = {"adamw": torch.optim.AdamW, "sgd": sgd}


def learning_rate_schedule(schedule: str, steps: int, warmup: float, milestones: list[float]):
    """Factor of the learning rate at step i: linear warm-up, then the named shape."""
    rise = round(warmup * steps)

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        if schedule == "cosine":
            return (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2
        if schedule == "step":
            return 0.1 ** sum(step >= share * steps for share in milestones)
        return 1.0

    return factor
