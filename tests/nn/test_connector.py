"""The connector is the block that the authors describe, and gives a token per cell."""

import pytest
import torch
from torch.nn import functional as F

from vlseg_cli.nn.connector import SwinConnector


@pytest.mark.parametrize(("stride", "side"), [(1, 5), (2, 3)])
def test_a_token_per_cell(stride: int, side: int) -> None:
    connector = SwinConnector(6, 10, 12, stride).eval()
    assert connector(torch.randn(2, 6, 5, 5)).shape == (2, 12, side, side)


def test_the_second_convolution_runs_twice_before_its_norm() -> None:
    torch.manual_seed(0)
    net = SwinConnector(6, 10, 12)
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
