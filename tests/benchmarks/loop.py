"""Speed of the training loop and of its parts: ours, and one that works as the authors' released code does (`upstream`)."""

from collections.abc import Callable

import jax
import torch

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.learner import Learner, sgd
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.sources import Pairs, Stream, batches
from doppelgangers.pretraining.stopwatch import Stopwatch
from doppelgangers.synthesis.generate import PairRecipe
from tests.benchmarks import upstream
from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# The paper's batch and width where there is a GPU.
BATCH_PAIRS, WIDTH, STEPS = (768, 1.0, 20) if DEVICE.type == "cuda" else (64, 0.25, 5)
RECIPE = PairRecipe("voice", 0.25)
SETTINGS = PretrainSettings(
    pairs=STEPS * BATCH_PAIRS,
    batch_pairs=BATCH_PAIRS,
    optimizer="sgd",
    learning_rate=0.12,
    weight_decay=1e-6,
    schedule="step",
    warmup=0.0,
    milestones=[0.775, 0.85, 0.925],
    precision="float32" if DEVICE.type == "cpu" else "bfloat16",
)


def new_learner(width: float = WIDTH, device: torch.device = DEVICE, **changes) -> Learner:
    """A learner before its first step; `changes` are of SETTINGS."""
    settings = SETTINGS.model_copy(update=changes)
    return Learner(settings, width=width, seed=0, augmentation=Augmentation("none"), device=device)


def loop(repeats: int) -> None:
    """Each part alone, on the same sounds, and all of them."""
    pairs = upstream.synthesis(BATCH_PAIRS, RECIPE.delta)
    keys = jax.random.split(jax.random.key(0), STEPS)
    source = Stream(RECIPE).open(BATCH_PAIRS, seed=0)
    learner = new_learner()
    their_model = Encoder(WIDTH, seed=0).to(DEVICE).train()
    their_update = sgd(their_model.parameters(), lr=SETTINGS.learning_rate, weight_decay=SETTINGS.weight_decay)
    sounds = source.read(source.order(0)).to(DEVICE)
    a, b = (view.contiguous() for view in sounds.unbind(1))
    patches = learner.patches(sounds, 0)
    parts = {
        "synthesis": (
            repeated(lambda i: source.read(source.order(i))),
            repeated(lambda i: torch.cat(pairs(keys[i]))),
        ),
        "front-end": (
            repeated(lambda i: learner.patches(sounds, i)[0]),
            repeated(lambda i: upstream.frontend(a) + upstream.frontend(b)),
        ),
        "encoder step": (
            repeated(lambda i: learner.learn(patches, Stopwatch(DEVICE))[0]),
            repeated(lambda i: upstream.encoder_step(their_model, their_update, *patches)),
        ),
        "whole loop": (
            lambda: our_loop(learner, source),
            repeated(lambda i: upstream.step(pairs, their_model, their_update, keys[i], DEVICE)),
        ),
    }
    if DEVICE.type == "cuda":
        compiled = new_learner(compile=True)
        parts["encoder step, compiled"] = (
            repeated(lambda i: compiled.learn(patches, Stopwatch(DEVICE))[0]),
            parts["encoder step"][1],
        )
        parts["whole loop, compiled"] = lambda: our_loop(compiled, source), parts["whole loop"][1]
    rows = [[name, *in_turn(speed(ours), speed(theirs), repeats)] for name, (ours, theirs) in parts.items()]
    title = f"loop: pairs of voice per second, {STEPS} steps of {BATCH_PAIRS} pairs, width {WIDTH}, {DEVICE.type}"
    print_table(title, ("", "ours", "upstream way", *COMPARED), rows)


def our_loop(learner: Learner, source: Pairs) -> None:
    """The loop of `training` without its reports: the next batch is made while this one trains."""
    for step, (sounds, _) in enumerate(batches(source, range(STEPS), DEVICE)):
        terms, _ = learner.step(sounds, step, Stopwatch(DEVICE))
    terms.sum().item()  # waits for the GPU


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
