"""A training step that works as the authors' released code does, written for comparison with ours (float32).

Like their code, it uses SynthAX's own batches, in which the peak of the first sound scales all; it compiles initialisation,
noise and synthesis, but not the flattening and clipping between them; it does one thing after the other and prepares nothing
ahead; it has a front-end for one sound under vmap, which makes its window and mel weights at every call; it encodes one view
after the other; and it computes the distances of all pairs as a list. It leaves out what would cost their code more time:
Lightning with its logging, and a loop over the mel bands where `mel_matrix` has none.
"""

from collections.abc import Callable

import jax
import jax.flatten_util
import jax.numpy as jnp
import torch
from synthax.config import SynthConfig

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import FFT, HOP, LOG_OFFSET, PATCH_FRAMES, RATE_HZ, WINDOW, mel_matrix
from doppelgangers.synthesis.perturb import EPS
from doppelgangers.synthesis.synth import ARCHITECTURES

Views = tuple[torch.Tensor, torch.Tensor]


def synthesis(batch: int, delta: float, architecture: str = "voice") -> Callable[[jax.Array], Views]:
    """A function key -> sounds of 1 s of both views, (batch, T) each, on JAX's device."""
    synth_class, options = ARCHITECTURES[architecture]
    config = SynthConfig(batch_size=batch, sample_rate=RATE_HZ, buffer_size_seconds=1.0, control_rate=480)
    synth = synth_class(config=config, **options)
    draw, render = jax.jit(synth.init), jax.jit(synth.apply)
    normal = jax.jit(jax.random.normal, static_argnums=1)

    def pairs(key: jax.Array) -> Views:
        key_theta, *keys = jax.random.split(key, 3)
        theta, unravel = jax.flatten_util.ravel_pytree(draw(key_theta))
        views = [unravel(jnp.clip(theta + delta * normal(key_view, theta.shape), EPS, 1)) for key_view in keys]
        return tuple(torch.from_dlpack(render(view)) for view in views)

    return pairs


def log_mel(sound: torch.Tensor) -> torch.Tensor:
    """VGGish log-mel patch of one sound: (T,) at 16 kHz -> (96, 64)."""
    window = torch.hann_window(WINDOW, periodic=True).to(sound.device)
    magnitude = torch.fft.rfft(sound.unfold(0, WINDOW, HOP) * window, FFT).abs()
    return torch.log(torch.matmul(magnitude, mel_matrix().to(sound)) + LOG_OFFSET)[:PATCH_FRAMES]


frontend = torch.vmap(log_mel)  # (N, T) -> (N, 96, 64)


def align_uniform(a: torch.Tensor, b: torch.Tensor) -> Views:
    """Both terms for embeddings (N, D) of two views."""
    a, b = (x / x.norm(dim=-1, keepdim=True) for x in (a, b))
    align = (a - b).norm(dim=1).pow(2).mean()
    uniform = sum(torch.pdist(x).pow(2).mul(-2).exp().mean().log() for x in (a, b)) / 2
    return align, uniform


def encoder_step(model: Encoder, update: torch.optim.Optimizer, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One update on log-mel patches (N, 96, 64) of two views; returns the loss, still on the device."""
    align, uniform = align_uniform(model(a), model(b))
    loss = align + uniform
    update.zero_grad()
    loss.backward()
    update.step()
    return loss.detach()


def step(pairs: Callable, model: Encoder, update: torch.optim.Optimizer, key: jax.Array, device: torch.device) -> torch.Tensor:
    """A whole step: pairs of `synthesis`, front-end and update; returns the loss, still on the device."""
    a, b = (frontend(sounds.to(device)) for sounds in pairs(key))
    return encoder_step(model, update, a, b)
