import pytest
import safetensors.torch
import torch
from torch import nn
from torchvision.models import resnet18

from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.initialize import initialize


def test_full_width_is_torchvisions_resnet18_with_another_first_convolution():
    theirs = resnet18(num_classes=512)
    theirs.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3)
    ours = Encoder(width=1.0)
    # torchvision's 11,689,512, less 513,000 of 1,000 classes and 9,408 of three channels, more 262,656 of 512 outputs, and
    # 64 * 7 * 7 weights and 64 biases of the first convolution.
    assert sum(parameter.numel() for parameter in ours.parameters()) == 11_432_960
    theirs.load_state_dict(ours.state_dict())  # all names and shapes are the same
    patches = torch.randn(2, 96, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours(patches), theirs(patches[:, None]))


def test_the_first_convolution_has_torchs_initial_weights_and_the_others_torchvisions():
    state = Encoder(width=1.0, seed=3).state_dict()
    weight, bias = state["conv1.weight"], state["conv1.bias"]
    assert (weight.shape, bias.shape) == ((64, 1, 7, 7), (64,))
    for drawn in (weight, bias):  # uniform within 1 / sqrt(49), whose deviation is 1 / sqrt(3 * 49) = 0.0825
        assert 0.9 / 7 < drawn.abs().max() <= 1 / 7
    assert weight.std().item() == pytest.approx(0.0825, rel=0.03)
    assert bias.std().item() == pytest.approx(0.0825, rel=0.2)
    # Normal with deviation sqrt(2 / (channels * 3 * 3)).
    assert state["layer1.0.conv1.weight"].std().item() == pytest.approx(0.0589, rel=0.01)
    assert state["layer4.1.conv2.weight"].std().item() == pytest.approx(0.0208, rel=0.01)
    assert state["layer4.1.conv2.weight"].abs().max() > 4 * 0.0208


def test_an_encoder_of_the_first_version_has_a_bias_of_0_there(tmp_path):
    path = tmp_path / "encoder.safetensors"
    initialize(path, seed=0, width=0.1)
    state = safetensors.torch.load_file(path)
    assert state.pop("conv1.bias").abs().max() > 0
    safetensors.torch.save_file(state, path)
    encoder, heard = load_encoder(path), []
    encoder.conv1.register_forward_hook(lambda module, given, made: heard.append((given[0], made)))
    encoder(torch.randn(2, 96, 64))
    given, made = heard[0]
    torch.testing.assert_close(made, nn.functional.conv2d(given, state["conv1.weight"], stride=2, padding=3))


def test_width_scales_the_channels_and_not_the_embedding():
    narrow = Encoder(width=0.25)
    assert narrow.layer4[1].conv2.weight.shape == (128, 128, 3, 3)
    assert narrow(torch.randn(2, 96, 64)).shape == (2, 512)


def test_initial_weights_follow_the_seed_and_leave_torchs_own_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    a, b, c = Encoder(0.25, seed=1), Encoder(0.25, seed=1), Encoder(0.25, seed=2)
    assert torch.rand(1) == expected
    assert torch.equal(a.conv1.weight, b.conv1.weight)
    assert not torch.equal(a.conv1.weight, c.conv1.weight)
