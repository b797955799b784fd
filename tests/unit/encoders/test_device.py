import os
import warnings

import pytest
import torch

from doppelgangers.encoders.device import allow_tf32, find_device


@pytest.fixture(autouse=True)
def as_torch_begins(monkeypatch):
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    yield set_defaults()
    set_defaults()


def set_defaults():
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = False, True


def products():
    """How torch computes float32 in matrix products and in convolutions, by its newer names of these settings."""
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision


def test_float32_is_float32_whatever_was_set_before(monkeypatch):
    assert products()[1] == "tf32"  # torch's default for convolutions
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    torch.set_float32_matmul_precision("high")  # what TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=1 does
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_device()
    assert "tf32" not in products()
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (False, False)
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_tf32_is_there_when_asked_for(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    allow_tf32(True)
    assert products() == ("tf32", "tf32")
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "1"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("allowed", [False, True])
def test_convolutions_and_products_round_only_when_allowed(allowed):
    allow_tf32(allowed)
    x, kernel = torch.randn(8, 64, 32, 32, device="cuda"), torch.randn(64, 64, 3, 3, device="cuda")
    a = torch.randn(512, 512, device="cuda")
    for function, arguments in ((torch.nn.functional.conv2d, (x, kernel)), (torch.matmul, (a, a))):
        exact = function(*(argument.double() for argument in arguments))
        error = (function(*arguments) - exact).norm() / exact.norm()
        assert (error < 1e-5) is not allowed
