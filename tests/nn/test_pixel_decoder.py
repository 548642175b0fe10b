"""Strides and channels of the pixel decoder, and the layers in which it differs from its base."""

import pytest
import torch
from torch import Tensor, nn

from vlseg_cli.nn.pixel_decoder import PixelDecoder


def decoder(coordinates: bool = False) -> PixelDecoder:
    torch.manual_seed(0)
    return PixelDecoder((4, 8, 16, 32), 32, 12, 2, 4, 16, coordinates).eval()


def pyramid(size: int = 64, batch: int = 2) -> list[Tensor]:
    torch.manual_seed(1)
    return [torch.randn(batch, 4 * 2**i, size // 4 // 2**i, size // 4 // 2**i) for i in range(4)]


@pytest.mark.parametrize("coordinates", [False, True])
def test_shapes(coordinates: bool) -> None:
    features = decoder(coordinates)(pyramid(96))
    assert features.mask_features.shape == (2, 12, 24, 24)
    assert [m.shape for m in features.memory] == [(2, 32, n, n) for n in (3, 6, 12)]


def test_coordinates_are_added_on_top() -> None:
    plain, placed = decoder(), decoder(True)
    missing, extra = placed.load_state_dict(plain.state_dict(), strict=False)
    assert extra == [] and {name.split(".")[0] for name in missing} == {
        "mask_coordinates",
        "memory_coordinates",
    }
    with torch.no_grad():
        one, other = plain(pyramid()), placed(pyramid())
        assert torch.allclose(
            placed.mask_coordinates(one.mask_features), other.mask_features, atol=1e-5
        )


def test_stride_4_convolutions_have_a_bias_and_both_end_in_relu() -> None:
    net = decoder()
    for name in ("adapter_1", "layer_1"):
        block = getattr(net.decoder, name)
        assert [type(layer) for layer in block] == [nn.Conv2d, nn.GroupNorm, nn.ReLU]
        assert block[0].bias is not None


def test_every_weight_is_used() -> None:
    net = decoder()
    features = net(pyramid())
    total = features.mask_features.square().sum() + sum(m.square().sum() for m in features.memory)
    total.backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_sampling_starts_as_a_fan_of_even_weights() -> None:
    for layer in decoder().decoder.encoder.layers:
        offsets = layer.self_attn.sampling_offsets.bias.view(4, 3, 4, 2)
        reach = offsets.abs().amax(-1)
        assert torch.allclose(reach, torch.arange(1.0, 5).expand(4, 3, 4))
        assert not layer.self_attn.attention_weights.weight.any()
        assert not layer.self_attn.sampling_offsets.weight.any()
