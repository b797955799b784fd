"""What the loop benchmark compares does the same: the way of the authors' code gives our values where it should."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from doppelgangers.encoder import Encoder
from doppelgangers.frontend import LogMel
from doppelgangers.losses import align_uniform
from doppelgangers.perturb import EPS
from doppelgangers.pretrain import sgd
from doppelgangers.synth import synthesizer
from tests.benchmarks import upstream
from tests.benchmarks.loop import our_encoder_step


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_front_ends_agree():
    sounds = 0.3 * normal(3, 16000)
    torch.testing.assert_close(upstream.frontend(sounds), LogMel()(sounds)[:, 0], rtol=1e-5, atol=1e-5)


def test_the_losses_and_their_gradients_agree():
    a, b = normal(16, 512).requires_grad_(), normal(16, 512, seed=1).requires_grad_()
    for found, expected in zip(upstream.align_uniform(a, b), align_uniform(a, b), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        gradients = [torch.autograd.grad(term, a, retain_graph=True)[0] for term in (found, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-7)


def test_an_update_agrees_where_batch_norm_does_not_see_the_batch():
    # In training, theirs normalises each view by itself, ours both together.
    sounds, patches = normal(4, 2, 16000), normal(8, 1, 96, 64)
    models = [Encoder(0.0625, seed=0).eval() for _ in range(2)]
    updates = [sgd(model.parameters(), lr=0.1, weight_decay=1e-6) for model in models]
    ours = our_encoder_step(models[0], updates[0], sounds, patches)
    theirs = upstream.encoder_step(models[1], updates[1], *patches[:, 0].chunk(2))
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4)
    fresh = Encoder(0.0625, seed=0).fc.weight
    changes = [model.fc.weight - fresh for model in models]
    assert changes[0].abs().max() > 0
    torch.testing.assert_close(changes[1], changes[0], rtol=1e-2, atol=1e-5)


def test_a_batch_of_one_sounds_as_ours():
    key, synth = jax.random.key(3), synthesizer("voice")
    a, b = upstream.synthesis(batch=1, delta=0.0)(key)
    theta = jnp.clip(synth.draw(jax.random.split(key, 3)[0]), EPS, 1)
    assert torch.equal(a, b)
    np.testing.assert_allclose(a[0], jax.jit(synth.render)(theta), atol=1e-4)


def test_the_whole_step_makes_its_pairs_and_trains():
    pairs, model = upstream.synthesis(batch=3, delta=0.25), Encoder(0.0625, seed=0)
    a, b = pairs(jax.random.key(0))
    assert a.shape == b.shape == (3, 16000)
    assert not torch.equal(a, b)
    before = model.fc.weight.detach().clone()
    loss = upstream.step(
        pairs, model, sgd(model.parameters(), lr=0.1, weight_decay=0.0), jax.random.key(0), torch.device("cpu")
    )
    assert torch.isfinite(loss)
    assert not torch.equal(model.fc.weight, before)
