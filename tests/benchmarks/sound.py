"""Speed of the synthesizers and of the log-mel front-end."""

import functools

import jax
import jax.flatten_util
import torch
from synthax.config import SynthConfig

from doppelgangers.encoders.frontend import RATE_HZ, LogMel
from doppelgangers.synthesis.synth import ARCHITECTURES, render_batch, synthesizer
from tests.benchmarks.measure import COMPARED, alone, in_turn, print_table, seconds

SOUNDS = 256


def synthesis(repeats: int) -> None:
    """Our renderer, where a sound does not depend on its batch, and SynthAX's own."""
    rows = [[architecture, *in_turn(*renderers(architecture), repeats)] for architecture in ARCHITECTURES]
    print_table(f"synthesis: sounds of 1 s per second, {SOUNDS} at once", ("", "ours", "SynthAX", *COMPARED), rows)


def renderers(architecture: str):
    """Sounds per second of our renderer and of SynthAX's `apply`, on the same parameters."""
    ours = synthesizer(architecture)
    synth_class, options = ARCHITECTURES[architecture]
    config = SynthConfig(batch_size=SOUNDS, sample_rate=RATE_HZ, buffer_size_seconds=1.0, control_rate=480)
    theirs = synth_class(config=config, **options)
    tree = theirs.init(jax.random.key(0))
    # Each row of the batch of SynthAX's parameters becomes a vector, in the order that `render_batch` takes.
    theta = jax.vmap(lambda row: jax.flatten_util.ravel_pytree(row)[0])(tree)
    return sounds_per_second(functools.partial(render_batch, ours), theta), sounds_per_second(theirs.apply, tree)


def sounds_per_second(render, parameters):
    """A function that renders once, with compiled code, and returns its speed."""
    render = jax.jit(render)
    return lambda: SOUNDS / seconds(lambda: jax.block_until_ready(render(parameters)))


def frontend(repeats: int) -> None:
    """The front-end by itself."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    log_mel = LogMel().to(device)
    clips = torch.randn(SOUNDS, RATE_HZ, generator=torch.Generator().manual_seed(0)).to(device)
    speed = alone(lambda: SOUNDS / seconds(lambda: log_mel(clips).sum().item()), repeats)
    print_table(f"front-end: clips of 1 s per second, {SOUNDS} at once", ("", "ours"), [["log-mel", speed]])
