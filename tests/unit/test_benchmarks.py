"""What the loop benchmark compares computes the same: the code that works as the authors' does gives our values."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.pretraining.learner import sgd
from doppelgangers.pretraining.losses import align_uniform
from doppelgangers.pretraining.stopwatch import Stopwatch
from doppelgangers.synthesis.perturb import EPS
from doppelgangers.synthesis.synth import synthesizer
from tests.benchmarks import upstream
from tests.benchmarks.loop import SETTINGS, new_learner


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


def test_an_update_agrees():
    patches = normal(2, 4, 96, 64).unbind()
    learner = new_learner(width=0.0625, device=torch.device("cpu"), precision="float32")
    theirs, fresh = Encoder(0.0625, seed=0).train(), Encoder(0.0625, seed=0)
    loss = upstream.encoder_step(
        theirs, sgd(theirs.parameters(), lr=SETTINGS.learning_rate, weight_decay=SETTINGS.weight_decay), *patches
    )
    terms, _ = learner.learn(patches, Stopwatch(torch.device("cpu")))
    torch.testing.assert_close(terms[2], loss, rtol=1e-4, atol=1e-4)
    changes = [model.fc.weight - fresh.fc.weight for model in (theirs, learner.encoder)]
    assert changes[0].abs().max() > 0
    torch.testing.assert_close(changes[1], changes[0], rtol=1e-2, atol=1e-5)
    # Batch normalisation sees each view by itself in both.
    torch.testing.assert_close(learner.encoder.bn1.running_var, theirs.bn1.running_var)


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
