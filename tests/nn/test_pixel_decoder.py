"""Strides and channels of the pixel decoder, and the layers in which it differs from its base."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Mask2FormerConfig

from vlseg_cli.nn.pixel_decoder import CoordinateEmbedding, PixelDecoder, coordinate_features


def decoder(coordinates: bool = False) -> PixelDecoder:
    torch.manual_seed(0)
    config = Mask2FormerConfig(
        feature_size=32,
        mask_feature_size=12,
        hidden_dim=32,
        encoder_layers=2,
        num_attention_heads=4,
        encoder_feedforward_dim=16,
    )
    return PixelDecoder(config, in_channels=(4, 8, 16, 32), coordinates=coordinates).eval()


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


def test_sampling_offsets_start_radial_with_uniform_weights() -> None:
    for layer in decoder().decoder.encoder.layers:
        offsets = layer.self_attn.sampling_offsets.bias.view(4, 3, 4, 2)
        reach = offsets.abs().amax(-1)
        assert torch.allclose(reach, torch.arange(1.0, 5).expand(4, 3, 4))
        assert not layer.self_attn.attention_weights.weight.any()
        assert not layer.self_attn.sampling_offsets.weight.any()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9))
def test_x_and_y_run_from_edge_to_edge(h: int, w: int) -> None:
    where = coordinate_features(h, w, torch.device("cpu"))
    y, x = where[:2]
    assert where.shape == (18, h, w)
    assert torch.allclose(x, ((torch.arange(w) + 0.5) / w * 2 - 1).expand(h, w))
    assert torch.allclose(y, ((torch.arange(h) + 0.5) / h * 2 - 1).unsqueeze(1).expand(h, w))


def test_a_cell_of_a_coarse_map_lies_in_the_middle_of_its_fine_cells() -> None:
    fine, coarse = (coordinate_features(n, n, torch.device("cpu"))[:2] for n in (8, 4))
    assert torch.allclose(F.avg_pool2d(fine, 2), coarse, atol=1e-6)


def test_no_two_cells_share_their_coordinates() -> None:
    cells = coordinate_features(6, 8, torch.device("cpu")).flatten(1).T
    assert torch.cdist(cells, cells).fill_diagonal_(1).min() > 0.1


def test_the_embedding_adds_the_same_to_every_image() -> None:
    embed = CoordinateEmbedding(5)
    first, second = torch.randn(2, 5, 4, 6), torch.randn(2, 5, 4, 6)
    assert torch.allclose(embed(first) - first, embed(second) - second, atol=1e-5)
    assert (embed(first) - first).abs().max() > 0.01


def test_the_embedding_keeps_the_dtype() -> None:
    embed = CoordinateEmbedding(5).double()
    assert embed(torch.randn(1, 5, 4, 6, dtype=torch.float64)).dtype == torch.float64
