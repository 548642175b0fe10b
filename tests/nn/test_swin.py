"""The pyramid has the promised strides at every size, and no weight that nothing uses."""

import pytest
import torch

from vlseg_cli.nn.swin import SwinPyramid


@pytest.fixture(scope="module")
def swin() -> SwinPyramid:
    torch.manual_seed(0)
    return SwinPyramid(8, (1, 2, 1, 1), (1, 2, 2, 4), window_size=3, drop_path_rate=0.5)


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


def test_pictures_of_a_batch_do_not_see_each_other(swin: SwinPyramid) -> None:
    pixels = torch.randn(3, 3, 64, 64, dtype=torch.float64)
    swin = swin.eval().double()
    with torch.no_grad():
        together, alone = swin(pixels), swin(pixels[1:2])
    swin.float()
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(one[1:2], other)
