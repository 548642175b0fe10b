"""HyperSeg's full-size layout, tensor by tensor, at the published size."""

import pytest
import torch
from torch import Tensor

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.hyperseg.conversion import hyperseg_rules, hyperseg_sizes
from vlseg_cli.models.hyperseg.modeling import HyperSeg
from vlseg_cli.models.official import own_shapes
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import Coverage, cover, require_complete
from vlseg_cli.weights.conversion.rules import Drop

Official = dict[str, Tensor]
STATED = {
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "partial_rotary_factor": 0.4,
    "vision_config": {"vision_tower": {"num_attention_heads": 16}},
}


@pytest.fixture(scope="module")
def own() -> dict[str, tuple[int, ...]]:
    return own_shapes(lambda: HyperSeg(HyperSegConfig()))


def covered(official: Official, own: dict[str, tuple[int, ...]]) -> Coverage:
    """Sizes from the files, then the check against our own modules."""
    shapes = {name: tuple(tensor.shape) for name, tensor in official.items()}
    config = HyperSegConfig.from_dict(hyperseg_sizes(shapes, STATED))
    return cover(hyperseg_rules(config.clip_layers), official, own)


def test_the_layout_has_the_published_number_of_parameters(published_hyperseg: Official) -> None:
    buffers = "relative_position_index"
    parameters = sum(t.numel() for n, t in published_hyperseg.items() if not n.endswith(buffers))
    unused_rows = 51200 - 50296  # of Phi-2's embedding, which the authors' resizing takes away
    assert round((parameters + unused_rows * 2560) / 1e9, 3) == 3.341


def test_sizes_come_from_the_files(published_hyperseg: Official) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in published_hyperseg.items()}
    assert HyperSegConfig.from_dict(hyperseg_sizes(shapes, STATED)) == HyperSegConfig()
    without = hyperseg_sizes(shapes, {"vision_config": None})
    assert HyperSegConfig.from_dict(without) == HyperSegConfig()


def test_conversion_covers_the_published_size_both_ways(
    published_hyperseg: Official, own: dict[str, tuple[int, ...]]
) -> None:
    coverage = covered(published_hyperseg, own)
    require_complete(coverage, "it")
    assert coverage.used.keys() | coverage.dropped.keys() == published_hyperseg.keys()
    filled = [ours for names in coverage.used.values() for ours in names]
    assert sorted(filled) == sorted(own)
    siglip_layer, siglip_end, predictor = 16, 13, 4
    assert len(coverage.dropped) == 24 + siglip_layer + siglip_end + predictor


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("level_embed.weight", "perceiver.level_embed.weight"),
        ("mgvp_layers.layers.2.1.3.weight", "perceiver.layers.2.feedforward.3.weight"),
        ("temporal_query_project.bias", "perceiver.carry.bias"),
        ("predictor.reid_embed_head.layers.2.bias", "instance_heads.embedding.layers.2.bias"),
        ("model.mm_projector.2.weight", "connector.2.weight"),
    ],
)
def test_a_missing_tensor_is_named(
    published_hyperseg: Official, own: dict[str, tuple[int, ...]], name: str, ours: str
) -> None:
    coverage = covered({k: v for k, v in published_hyperseg.items() if k != name}, own)
    assert coverage.missing == (ours,) and not coverage.unknown


@pytest.mark.parametrize(
    "name",
    [
        "mgvp_layers.layers.0.0.gate.weight",
        "model.layers.0.self_attn.q_proj.lora_A.weight",
        "model.vision_tower.vision_model.encoder.extra",
    ],
)
def test_an_extra_tensor_is_named(
    published_hyperseg: Official, own: dict[str, tuple[int, ...]], name: str
) -> None:
    coverage = covered(published_hyperseg | {name: torch.empty(1, device="meta")}, own)
    assert coverage.unknown == (name,) and not coverage.missing


@pytest.mark.parametrize(
    "name",
    ["seg_query", "local_project.1.weight", "model.mm_projector.0.bias", "mgvp_layers.norm.bias"],
)
def test_a_misshapen_tensor_is_named(
    published_hyperseg: Official, own: dict[str, tuple[int, ...]], name: str
) -> None:
    rows, *rest = published_hyperseg[name].shape
    wrong = published_hyperseg | {name: torch.empty(rows + 1, *rest, device="meta")}
    coverage = covered(wrong, own)
    assert any(what.startswith(f"{name} ({rows + 1},") for what in coverage.misshapen)


def test_every_reason_is_stated() -> None:
    drops = [rule for rule in hyperseg_rules(1) if isinstance(rule, Drop)]
    assert len(drops) >= 5 and all(len(rule.reason) > 10 for rule in drops)


def test_another_model_is_no_hyperseg(published: Official) -> None:
    with pytest.raises(WeightsError, match="no HyperSeg checkpoint"):
        hyperseg_sizes({name: tuple(tensor.shape) for name, tensor in published.items()}, {})
