"""Strides and channels of the pyramid, and no unused weight."""

import pytest
import torch
from torch.nn import functional as F
from transformers import SiglipVisionConfig, SwinConfig

from vlseg_cli.nn.vision_encoders import SiglipTower, SwinConnector, SwinPyramid


@pytest.fixture(scope="module")
def swin() -> SwinPyramid:
    torch.manual_seed(0)
    config = SwinConfig(
        embed_dim=8,
        depths=[1, 2, 1, 1],
        num_heads=[1, 2, 2, 4],
        window_size=3,
        drop_path_rate=0.5,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    return SwinPyramid(config)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 32)])
def test_strides_and_channels(swin: SwinPyramid, height: int, width: int) -> None:
    maps = swin.eval()(torch.randn(2, 3, height, width))
    assert swin.channels == (8, 16, 32, 64)
    for level, features in enumerate(maps):
        side = 4 * 2**level
        assert features.shape == (2, swin.channels[level], height // side, width // side)


def test_paths_are_dropped_in_training_alone(swin: SwinPyramid) -> None:
    pixels = torch.randn(8, 3, 64, 64)
    with torch.no_grad():
        still = [swin.eval()(pixels)[-1] for _ in range(2)]
        shaken = [swin.train()(pixels)[-1] for _ in range(2)]
    assert still[0].equal(still[1])
    assert not shaken[0].equal(shaken[1])


def test_every_weight_is_used(swin: SwinPyramid) -> None:
    swin.zero_grad()
    sum(features.square().sum() for features in swin.eval()(torch.randn(1, 3, 64, 64))).backward()
    assert [name for name, p in swin.named_parameters() if p.grad is None] == []


def test_images_of_a_batch_are_independent(swin: SwinPyramid) -> None:
    pixels = torch.randn(3, 3, 64, 64, dtype=torch.float64)
    swin = swin.eval().double()
    with torch.no_grad():
        together, alone = swin(pixels), swin(pixels[1:2])
    swin.float()
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(one[1:2], other)


@pytest.mark.parametrize(("stride", "side"), [(1, 5), (2, 3)])
def test_a_token_per_cell(stride: int, side: int) -> None:
    connector = SwinConnector(in_channels=6, width=10, out_channels=12, stride=stride).eval()
    assert connector(torch.randn(2, 6, 5, 5)).shape == (2, 12, side, side)


def test_the_second_convolution_runs_twice_before_its_norm() -> None:
    torch.manual_seed(0)
    net = SwinConnector(in_channels=6, width=10, out_channels=12)
    net.train()(torch.randn(4, 6, 8, 8))  # fills the norms' statistics
    net.eval()
    x = torch.randn(2, 6, 8, 8)
    y = net.bn1(F.conv2d(x, net.conv1.weight, stride=2, padding=1)).relu()
    for _ in range(2):
        y = F.conv2d(y, net.conv2.weight, padding=1)
    skip = F.conv2d(x, net.shortcut[0].weight, stride=2)
    y = (net.bn2(y) + net.shortcut[1](skip)).relu()
    wanted = torch.einsum("bchw,dc->bdhw", y, net.fc.weight) + net.fc.bias.view(1, -1, 1, 1)
    assert torch.allclose(net(x), wanted, atol=1e-5)


def test_siglip_ends_at_the_layer_whose_tokens_are_used() -> None:
    tower = SiglipTower(
        SiglipVisionConfig(
            image_size=30,
            patch_size=7,
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            vision_use_head=False,
        )
    )
    assert tower.side == 4
    assert tower(torch.randn(3, 3, 30, 30)).shape == (3, 16, 8)
    assert not any("head" in name or "post" in name for name in tower.state_dict())
