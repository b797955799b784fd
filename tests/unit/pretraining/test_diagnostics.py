import numpy as np
import pytest
import torch

from doppelgangers.pretraining.diagnostics import dead_share, effective_rank


def oracle(x):
    """Roy & Vetterli 2007, definition 1."""
    singular = np.linalg.svd(np.array([row / np.linalg.norm(row) for row in x]), compute_uv=False)
    return np.exp(-sum(s / sum(singular) * np.log(s / sum(singular)) for s in singular))


@pytest.mark.parametrize("shape", [(40, 8), (6, 30)])
def test_effective_rank_equals_the_oracle(shape):
    x = np.random.default_rng(0).standard_normal(shape) * np.linspace(0.1, 3, shape[1])
    np.testing.assert_allclose(effective_rank(torch.tensor(x)), oracle(x), rtol=1e-9)


def test_effective_rank_runs_from_1_to_the_number_of_dimensions():
    np.testing.assert_allclose(effective_rank(torch.ones(20, 5)), 1, rtol=1e-6)
    np.testing.assert_allclose(effective_rank(torch.eye(5).repeat(4, 1)), 5, rtol=1e-6)
    in_a_plane = torch.randn(200, 2, generator=torch.manual_seed(0)) @ torch.eye(2, 50)
    assert 1.9 < effective_rank(in_a_plane) <= 2


def test_dead_dimensions_are_counted_whatever_the_scale():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((256, 20))
    x[:, :3] = 1.0 + 1e-4 * rng.standard_normal((256, 3))
    x[:, :3] *= np.linalg.norm(x[:, 3:], axis=1, keepdims=True)  # so that they stay still when rows get length 1
    for scale in (1e-3, 1.0, 1e3):
        np.testing.assert_allclose(dead_share(torch.tensor(scale * x)), 3 / 20, rtol=1e-6)
    assert dead_share(torch.tensor(x[:, 3:])) == 0
    assert dead_share(torch.ones(8, 512)) == 1
