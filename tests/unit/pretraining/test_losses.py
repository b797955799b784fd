import numpy as np
import pytest
import torch

from doppelgangers.pretraining.losses import align_uniform, nt_xent


def oracle(a, b):
    """Wang & Isola's definitions, pair by pair."""
    a = [x / np.linalg.norm(x) for x in a]
    b = [x / np.linalg.norm(x) for x in b]
    align = np.mean([np.sum((x - y) ** 2) for x, y in zip(a, b, strict=True)])
    uniform = []
    for view in (a, b):
        kernel = [np.exp(-2 * np.sum((view[i] - view[j]) ** 2)) for i in range(len(view)) for j in range(i + 1, len(view))]
        uniform.append(np.log(np.mean(kernel)))
    return align, np.mean(uniform)


def test_both_terms_equal_the_oracle():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 12, 5))
    found = align_uniform(torch.tensor(a), torch.tensor(b))
    np.testing.assert_allclose([term.item() for term in found], oracle(a, b), rtol=1e-10)


def test_gradient_is_finite_where_embeddings_coincide():
    a = torch.ones(4, 3, requires_grad=True)
    align, uniform = align_uniform(a, a.detach().clone())
    (align + uniform).backward()
    assert align.item() == 0
    assert abs(uniform.item()) < 1e-5  # collapse: every kernel value is 1
    assert torch.isfinite(a.grad).all()


def nt_xent_oracle(a, b, temperature):
    """Chen et al. 2020, equation 1 and algorithm 1, view by view."""
    views = [x / np.linalg.norm(x) for pair in zip(a, b, strict=True) for x in pair]  # 2k and 2k + 1 are a pair
    losses = []
    for i in range(len(views)):
        similar = {k: np.exp(views[i] @ views[k] / temperature) for k in range(len(views)) if k != i}
        losses.append(-np.log(similar[i ^ 1] / sum(similar.values())))
    return np.mean(losses)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 3.0])
def test_nt_xent_equals_the_oracle(temperature):
    a, b = np.random.default_rng(0).standard_normal((2, 12, 5))
    found = nt_xent(torch.tensor(a), torch.tensor(b), temperature)
    np.testing.assert_allclose(found.item(), nt_xent_oracle(a, b, temperature), rtol=1e-10)


def test_nt_xent_of_identical_embeddings_is_that_of_guessing_and_has_a_finite_gradient():
    a = torch.ones(4, 3, requires_grad=True)
    loss = nt_xent(a, torch.ones(4, 3), 0.001)
    loss.backward()
    np.testing.assert_allclose(loss.item(), np.log(7), rtol=1e-5)
    assert torch.isfinite(a.grad).all()
