import numpy as np
import torch

from doppelgangers.losses import align_uniform


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
