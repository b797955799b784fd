import torch
from torchvision.models import resnet18

from doppelgangers.encoders.encoder import Encoder


def test_full_width_is_torchvisions_resnet18_with_one_input_channel():
    theirs = {name: tensor.shape for name, tensor in resnet18(num_classes=512).state_dict().items()}
    theirs["conv1.weight"] = torch.Size([64, 1, 7, 7])
    assert {name: tensor.shape for name, tensor in Encoder(width=1.0).state_dict().items()} == theirs


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
