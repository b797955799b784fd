"""Speed of the training loop and of its parts, ours and the way of the authors' released code (`upstream`)."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import torch

from doppelgangers.encoder import Encoder
from doppelgangers.frontend import LogMel
from doppelgangers.generate import PairGenerator
from doppelgangers.pretrain import OPTIMIZERS, training_step
from tests.benchmarks import upstream
from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# The paper's batch and width where there is a GPU.
BATCH_PAIRS, WIDTH, STEPS = (768, 1.0, 20) if DEVICE.type == "cuda" else (64, 0.25, 5)
DELTA, SEED, LEARNING_RATE, WEIGHT_DECAY = 0.25, 0, 0.12, 1e-6
GENERATOR = {"seed": SEED, "perturbation": "gaussian", "factors": {}, "duration_s": 1.0, "control_rate_hz": 480}


def loop(repeats: int) -> None:
    """Each part alone, on the same sounds, and all of them."""
    pairs = upstream.synthesis(BATCH_PAIRS, DELTA)
    keys = jax.random.split(jax.random.key(SEED), STEPS)
    read = functools.partial(our_sounds, PairGenerator("voice", DELTA, **GENERATOR))
    sounds = read(0).to(DEVICE)
    a, b = (view.contiguous() for view in sounds.unbind(1))
    log_mel = LogMel().to(DEVICE)
    patches = log_mel(sounds.transpose(0, 1).flatten(0, 1))
    patches_a, patches_b = patches[:, 0].chunk(2)
    model, update = trainer(torch.channels_last)
    their_model, their_update = trainer(torch.contiguous_format)
    parts = {
        "synthesis": (
            repeated(read),
            repeated(lambda i: torch.cat(pairs(keys[i]))),
        ),
        "front-end": (
            repeated(lambda i: log_mel(sounds.transpose(0, 1).flatten(0, 1))),
            repeated(lambda i: upstream.frontend(a) + upstream.frontend(b)),
        ),
        "encoder step": (
            repeated(lambda i: our_encoder_step(model, update, sounds, patches)),
            repeated(lambda i: upstream.encoder_step(their_model, their_update, patches_a, patches_b)),
        ),
        "whole loop": (
            lambda: our_loop(model, log_mel, update, read),
            repeated(lambda i: upstream.step(pairs, their_model, their_update, keys[i], DEVICE)),
        ),
    }
    rows = [[name, *in_turn(speed(ours), speed(theirs), repeats)] for name, (ours, theirs) in parts.items()]
    title = f"loop: pairs of voice per second, {STEPS} steps of {BATCH_PAIRS} pairs, width {WIDTH}, {DEVICE.type}"
    print_table(title, ("", "ours", "upstream way", *COMPARED), rows)


def our_encoder_step(
    model: Encoder, update: torch.optim.Optimizer, sounds: torch.Tensor, patches: torch.Tensor
) -> torch.Tensor:
    """`pretrain`'s step on patches (2N, 1, 96, 64) of sounds (N, 2, T), without its front-end; the loss."""
    (_, _, loss), _ = training_step(model, lambda _: patches, update, sounds, "align_uniform", 0.1)
    return loss


def our_loop(model: Encoder, frontend: LogMel, update: torch.optim.Optimizer, read: Callable) -> None:
    """`pretrain`'s loop on a stream of pairs: the next batch is made while this one trains."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(read, 0)
        for step in range(STEPS):
            sounds = waiting.result()
            if step + 1 < STEPS:
                waiting = pool.submit(read, step + 1)
            (_, _, loss), _ = training_step(model, frontend, update, sounds.to(DEVICE), "align_uniform", 0.1)
    loss.item()


def our_sounds(generator: PairGenerator, step: int) -> torch.Tensor:
    """Sounds (N, 2, T) of a step, as `pretrain` streams them."""
    return torch.from_dlpack(generator.render(np.arange(step * BATCH_PAIRS, (step + 1) * BATCH_PAIRS)))


def trainer(memory_format: torch.memory_format) -> tuple[Encoder, torch.optim.Optimizer]:
    """An encoder in training and the paper's optimiser."""
    model = Encoder(WIDTH, SEED).to(DEVICE, memory_format=memory_format).train()
    return model, OPTIMIZERS["sgd"](model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


def repeated(step: Callable[[int], torch.Tensor]) -> Callable[[], None]:
    """All steps, one after another."""

    def run() -> None:
        for i in range(STEPS):
            result = step(i)
        result.sum().item()  # waits for the GPU

    return run


def speed(run: Callable[[], None]) -> Callable[[], float]:
    """A function that takes all steps and says how many pairs a second that was."""
    return lambda: STEPS * BATCH_PAIRS / seconds(run)
