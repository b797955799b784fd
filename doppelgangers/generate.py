"""Pairs of doppelgängers, addressed by (seed, index)."""

import jax
import jax.numpy as jnp
import numpy as np

from doppelgangers.errors import UserError
from doppelgangers.perturb import PERTURBATIONS
from doppelgangers.synth import CPU_CHUNK, render_batch, synthesizer


class PairGenerator:
    """Renders the pairs of one architecture and delta.

    The pair at (seed, index) is the same whatever else is rendered with it: its key is `fold_in(key(seed), index)`,
    split in three, for theta and for the noise of each view.

    Args:
        architecture: a name of `synth.ARCHITECTURES`.
        delta: size of the perturbation.
        seed: which sequence of pairs.
        perturbation: a name of `perturb.PERTURBATIONS`.
        rate_hz, duration_s, control_rate_hz: as in `synth.synthesizer`.
        factors: of delta, for each group of `synth.GROUPS`; 1 for those that it does not name.
        ramp_pairs: index from which a curriculum has its full delta.
        renderer: a name of `synth.RENDERERS`.
    """

    def __init__(
        self,
        architecture: str,
        delta: float,
        seed: int,
        perturbation: str = "gaussian",
        rate_hz: int = 16000,
        duration_s: float = 1.0,
        control_rate_hz: int = 480,
        factors: dict[str, float] | None = None,
        ramp_pairs: int = 1,
        renderer: str = "fast",
    ):
        self.synth = synthesizer(architecture, rate_hz, duration_s, control_rate_hz, renderer)
        of_parameters = jnp.array([(factors or {}).get(group, 1.0) for group in self.synth.groups])
        perturb = PERTURBATIONS[perturbation]
        root = jax.random.key(seed)

        def parameters(index: jax.Array) -> jax.Array:
            key_theta, key_a, key_b = jax.random.split(jax.random.fold_in(root, index), 3)
            theta = self.synth.draw(key_theta)
            progress = index / ramp_pairs
            return jnp.stack([perturb(key, theta, delta, of_parameters, progress) for key in (key_a, key_b)])

        def render(indices: jax.Array) -> jax.Array:
            theta = jax.vmap(parameters)(indices)
            audio = render_batch(self.synth, theta.reshape(-1, self.synth.dimension))
            return audio.reshape(len(indices), 2, -1)

        self._parameters = jax.jit(jax.vmap(parameters))
        self._render = jax.jit(render)

    def parameters(self, indices: np.ndarray) -> np.ndarray:
        """Perturbed parameters of both views, (N, 2, D)."""
        return np.asarray(self._parameters(jnp.asarray(indices, jnp.uint32)))

    def render(self, indices: np.ndarray) -> jax.Array:
        """Sounds of both views, (N, 2, T) float32 in [-1, 1], on JAX's device.

        Raises:
            UserError: when a sound is not finite; the message names its index.
        """
        # Whole chunks only: the machine code, and so the last bit of a sound, does not depend on how many are asked.
        size = len(indices) + -len(indices) % (CPU_CHUNK // 2)
        audio = self._render(jnp.asarray(np.resize(indices, size), jnp.uint32))[: len(indices)]
        finite = np.asarray(jnp.isfinite(audio).all(axis=(1, 2)))
        if not finite.all():
            raise UserError(f"the synthesizer made a sound that is not finite, at pair index {indices[~finite][0]}")
        return audio
