"""Many prompts about many images at once equal each prompt alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import Mask2FormerConfig

from vlseg_cli.nn.mask_decoder import MLP, DecodedQueries, MaskDecoder, QueryPacking
from vlseg_cli.nn.pixel_decoder import PixelFeatures

CHANNELS, QUERIES = 16, 5


@pytest.fixture(scope="module")
def decoder() -> MaskDecoder:
    """In float64: no rounding can move a cell across the threshold of the attention mask."""
    torch.manual_seed(0)
    config = Mask2FormerConfig(
        hidden_dim=CHANNELS,
        mask_feature_size=8,
        decoder_layers=5,
        num_attention_heads=2,
        dim_feedforward=24,
    )
    net = MaskDecoder(config, queries=QUERIES).double().eval()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net


@pytest.fixture(scope="module")
def features() -> PixelFeatures:
    torch.manual_seed(1)
    memory = [torch.randn(3, CHANNELS, n, n + 1, dtype=torch.float64) for n in (2, 4, 8)]
    return PixelFeatures(torch.randn(3, 8, 16, 18, dtype=torch.float64), tuple(memory))


def queries_of(prompts: int, count: int = QUERIES) -> Tensor:
    torch.manual_seed(2)
    return torch.randn(prompts, count, CHANNELS, dtype=torch.float64)


def of_picture(features: PixelFeatures, picture: int) -> PixelFeatures:
    row = slice(picture, picture + 1)
    return PixelFeatures(features.mask_features[row], tuple(m[row] for m in features.memory))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(1, QUERIES))
def test_prompts_of_an_image_are_independent(
    decoder: MaskDecoder, features: PixelFeatures, pictures: list[int], count: int
) -> None:
    queries = queries_of(len(pictures), count)
    with torch.no_grad():
        together = decoder(queries, features, torch.tensor(pictures))
        for row, picture in enumerate(pictures):
            alone = decoder(
                queries[row : row + 1], of_picture(features, picture), torch.zeros(1).long()
            )
            for one, other in zip(_all(together), _all(alone), strict=True):
                assert torch.allclose(one[row : row + 1], other, atol=1e-9)


def _all(decoded: DecodedQueries) -> tuple[Tensor, ...]:
    return (*decoded.hidden, *decoded.pred_masks)


def test_a_level_before_the_first_layer_and_after_each(
    decoder: MaskDecoder, features: PixelFeatures
) -> None:
    queries = queries_of(2)
    decoded = decoder(queries, features, torch.tensor([0, 2]))
    assert len(decoded.hidden) == len(decoded.pred_masks) == 5
    assert torch.allclose(decoded.hidden[0], decoder.decoder.layernorm(queries))
    assert all(z.shape == (2, QUERIES, CHANNELS) for z in decoded.hidden)
    assert all(masks.shape == (2, QUERIES, 16, 18) for masks in decoded.pred_masks)


def test_masks_are_dot_products_with_the_mask_features(
    decoder: MaskDecoder, features: PixelFeatures
) -> None:
    decoded = decoder(queries_of(1), features, torch.tensor([1]))
    embedded = decoder.decoder.mask_predictor.mask_embedder(decoded.hidden[-1])
    wanted = torch.einsum("nqd,dhw->nqhw", embedded, features.mask_features[1])
    assert torch.allclose(decoded.pred_masks[-1], wanted)


def halves() -> tuple[Tensor, list[Tensor]]:
    """Mask features of which the right half is the left one's negative, and some memory."""
    torch.manual_seed(3)
    plane = torch.randn(1, 8, 1, 1, dtype=torch.float64).repeat(1, 1, 16, 16)
    plane[..., 8:] *= -1
    return plane, [torch.randn(1, CHANNELS, n, n, dtype=torch.float64) for n in (2, 4, 8)]


def seen_first(decoder: MaskDecoder, plane: Tensor, memory: list[Tensor]) -> Tensor:
    """What the first layer's cross-attention hands on, caught on its way: (N, D)."""
    caught: list[Tensor] = []
    hook = decoder.decoder.layers[0].cross_attn.register_forward_hook(
        lambda _module, _inputs, output: caught.append(output[0])
    )
    with torch.no_grad():
        decoder(queries_of(1), PixelFeatures(plane, tuple(memory)), torch.tensor([0]))
    hook.remove()
    return caught[0][:, 0]


def test_a_query_attends_only_inside_its_mask(decoder: MaskDecoder) -> None:
    plane, memory = halves()
    with torch.no_grad():
        decoded = decoder(queries_of(1), PixelFeatures(plane, tuple(memory)), torch.tensor([0]))
    masks_left = decoded.pred_masks[0][0, :, 0, 0] > 0
    assert masks_left.any() and not masks_left.all()
    changed = [memory[0].clone(), *memory[1:]]
    changed[0][..., 1] += 1  # the right half of the first level
    moved = (seen_first(decoder, plane, memory) - seen_first(decoder, plane, changed)).abs().amax(1)
    assert moved[masks_left].max() == 0
    assert moved[~masks_left].min() > 1e-6


def test_a_query_with_an_empty_mask_attends_everywhere(decoder: MaskDecoder) -> None:
    plane, memory = halves()
    plane[..., 8:] = plane[..., :8]  # now a mask is everywhere or nowhere
    changed = [memory[0] + 1, *memory[1:]]
    before, after = (seen_first(decoder, plane, m) for m in (memory, changed))
    assert before.isfinite().all()
    assert (before - after).abs().amax(1).min() > 1e-6


def test_gradients_reach_every_weight(decoder: MaskDecoder, features: PixelFeatures) -> None:
    decoded = decoder(queries_of(2), features, torch.tensor([1, 1]))
    decoder.zero_grad()
    sum(masks.square().sum() for masks in decoded.pred_masks).backward()
    assert [name for name, p in decoder.named_parameters() if p.grad is None] == []
    decoder.zero_grad()


def test_the_small_mlp_is_linear_relu_linear() -> None:
    mlp, inputs = MLP(6), torch.randn(3, 6)
    wanted = mlp.layers[1](mlp.layers[0](inputs).clamp(min=0))
    assert torch.allclose(mlp(inputs), wanted)
    assert len(MLP(6, 3).layers) == 3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(1, 4))
def test_unpacking_inverts_packing(pictures: list[int], count: int) -> None:
    queries = torch.randn(len(pictures), count, 2)
    packing = QueryPacking(torch.tensor(pictures), 4, count)
    packed = packing.pack(queries)
    assert packed.shape == (4, packing.slots * count, 2)
    assert packing.slots == max(pictures.count(picture) for picture in pictures)
    assert torch.equal(packing.unpack(packed), queries)
    assert torch.isclose(packed.sum(), queries.sum(), atol=1e-5)


def test_the_separation_mask_separates_prompts() -> None:
    packing = QueryPacking(torch.tensor([0, 1, 0]), 2, 2)
    assert packing.separation_mask().int().tolist() == [[0, 0, 1, 1]] * 2 + [[1, 1, 0, 0]] * 2
