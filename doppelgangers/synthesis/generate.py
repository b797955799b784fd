"""Pairs of doppelgängers: what they depend on, and their rendering."""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from doppelgangers.errors import UserError
from doppelgangers.synthesis.perturb import PERTURBATIONS
from doppelgangers.synthesis.synth import CPU_CHUNK, render_batch, synthesizer

# What XLA_FLAGS in the environment would decide otherwise.
COMPILER = {"xla_cpu_enable_fast_math": False, "xla_backend_optimization_level": 3}


@dataclasses.dataclass(frozen=True)
class PairRecipe:
    """Everything that the sounds of a sequence of pairs depend on.

    Attributes:
        architecture: a name of `synth.ARCHITECTURES`.
        delta: size of the perturbation.
        seed: chooses the sequence of pairs.
        perturbation: a name of `perturb.PERTURBATIONS`.
        factors: for the perturbation anisotropic: group of parameters (`synth.GROUPS`) -> factor of delta; 1 if not given.
        ramp_pairs: for the perturbation curriculum: index from which delta has its full size.
        duration_s, control_rate_hz: length of a sound in seconds, and rate of envelopes and LFOs in Hz.
        renderer: a name of `synth.RENDERERS`.
        peak: what a sound is divided by, if that is above 1: "own", its own peak, or "first_of_batch", as in SynthAX, the peak
            of the same view of the first pair that is rendered with it. Then sounds may exceed 1.
        rate_hz: sample rate of the sounds in Hz.
    """

    architecture: str
    delta: float
    seed: int = 0
    perturbation: str = "gaussian"
    factors: Mapping[str, float] = dataclasses.field(default_factory=dict)
    ramp_pairs: int = 1
    duration_s: float = 1.0
    control_rate_hz: int = 480
    renderer: str = "fast"
    peak: str = "own"
    rate_hz: int = 16000


class PairGenerator:
    """Renders the pairs of a recipe by their indices.

    The pair at an index is the same whichever other pairs are rendered with it (but for the peak first_of_batch): its random
    key is `fold_in(root, index)`, split into three, for theta and for the noise of each view. The root is the Threefry key
    (sequence, seed); where sequence is 0, that is `jax.random.key(seed)`.

    Args:
        recipe: of the pairs.
        sequence: which of the recipe's sequences of pairs; they share no pair.
    """

    def __init__(self, recipe: PairRecipe, sequence: int = 0):
        self.synth = synthesizer(
            recipe.architecture,
            rate_hz=recipe.rate_hz,
            duration_s=recipe.duration_s,
            control_rate_hz=recipe.control_rate_hz,
            renderer=recipe.renderer,
            scaled=recipe.peak == "own",
        )
        factors = jnp.array([recipe.factors.get(group, 1.0) for group in self.synth.groups])
        perturb = PERTURBATIONS[recipe.perturbation]
        root = jax.random.wrap_key_data(jnp.array([sequence, recipe.seed], jnp.uint32), impl="threefry2x32")

        def parameters(index: jax.Array) -> jax.Array:
            key_theta, key_a, key_b = jax.random.split(jax.random.fold_in(root, index), 3)
            theta = self.synth.draw(key_theta)
            progress = index / recipe.ramp_pairs
            return jnp.stack([perturb(key, theta, recipe.delta, factors, progress) for key in (key_a, key_b)])

        def render(indices: jax.Array) -> jax.Array:
            theta = jax.vmap(parameters)(indices)
            audio = render_batch(self.synth, theta.reshape(-1, self.synth.dimension)).reshape(len(indices), 2, -1)
            if recipe.peak == "first_of_batch":  # as SynthAX's `normalize_if_clipping`, where each view is a batch
                audio /= jnp.maximum(jnp.abs(audio[:1]).max(axis=2, keepdims=True), 1)
            return audio

        self._parameters = jax.jit(jax.vmap(parameters), compiler_options=COMPILER)
        self._render = jax.jit(render, compiler_options=COMPILER)

    def parameters(self, indices: np.ndarray) -> np.ndarray:
        """Perturbed parameters of both views, (N, 2, D)."""
        return np.asarray(self._parameters(jnp.asarray(indices, jnp.uint32)))

    def render(self, indices: np.ndarray) -> jax.Array:
        """Sounds of both views, (N, 2, T) float32, in [-1, 1] if each is divided by its own peak, on JAX's device.

        Raises:
            UserError: when a sound is not finite; the message names its index.
        """
        # Only whole chunks are rendered, so that the last bit of a sound does not depend on how many are asked for.
        size = len(indices) + -len(indices) % (CPU_CHUNK // 2)
        audio = self._render(jnp.asarray(np.resize(indices, size), jnp.uint32))[: len(indices)]
        finite = np.asarray(jnp.isfinite(audio).all(axis=(1, 2)))
        if not finite.all():
            raise UserError(f"the synthesizer made a sound that is not finite, at pair index {indices[~finite][0]}")
        return audio
