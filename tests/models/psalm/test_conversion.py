"""PSALM's layouts: the published one, Mask2Former's file and a stage-1 connector as a start."""

import json
import pickle
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity.golden import Golden, golden_files
from parity.psalm import config_of, golden_model
from torch import Tensor

from vlseg_cli.models.official import own_shapes
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.conversion import open_official_psalm, psalm_rules, psalm_sizes
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.training import TrainablePSALM
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.schema import WeightsError
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.conversion.coverage import Coverage, cover, require_complete
from vlseg_cli.weights.conversion.rules import Drop, convert

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden.load(golden_files("psalm")[0])


@pytest.fixture
def learner(golden: Golden) -> TrainablePSALM:
    """Random weights at the golden file's sizes."""
    sizes = asdict(config_of(golden.config))
    del sizes["vocabulary"]
    model = build_trainable("psalm", synthetic_vocabulary(), sizes, {"points": 48})
    assert isinstance(model, TrainablePSALM)
    return model


def mask2former(golden: Golden) -> Arrays:
    """The golden weights in the layout of Mask2Former's own file, with its class head."""
    arrays: Arrays = {"criterion.empty_weight": np.ones(6, np.float32)}
    for name, tensor in golden.weights().items():
        if name.startswith("model.vision_tower."):
            arrays[name.replace("model.vision_tower", "backbone")] = tensor.numpy()
        elif re.match(r"pixel_decoder|predictor\.(?!CLASS|SEG|REGION)", name):
            name = re.sub(r"(adapter_1|layer_1)\.1\.", r"\1.norm.", f"sem_seg_head.{name}")
            name = re.sub(r"(adapter_1|layer_1)\.0\.", r"\1.", name)
            arrays[name.replace("query_feat", "static_query")] = tensor.numpy()
    for layer in ("adapter_1", "layer_1"):
        del arrays[f"sem_seg_head.pixel_decoder.{layer}.bias"]
    embed = arrays["sem_seg_head.predictor.query_embed.weight"]
    arrays["sem_seg_head.predictor.query_embed.weight"] = np.concatenate([embed, embed + 1])
    arrays["sem_seg_head.predictor.class_embed.weight"] = np.zeros((6, 64), np.float32)
    return arrays


def write(folder: Path, arrays: Arrays) -> Path:
    folder.mkdir()
    (folder / "model_final.pkl").write_bytes(pickle.dumps({"model": arrays, "__author__": "x"}))
    return folder


def changed(before: dict[str, Tensor], model: TrainablePSALM) -> set[str]:
    """Parts of which any value changed."""
    now = model.model.state_dict()
    return {name.partition(".")[0] for name in now if not now[name].equal(before[name])}


def test_mask2formers_file_fills_its_parts(
    golden: Golden, learner: TrainablePSALM, tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    random_parts = learner.init_from(write(tmp_path / "base", mask2former(golden)))
    assert changed(before, learner) == {"vision_tower", "pixel_decoder", "mask_decoder"}
    assert set(random_parts) == {name.partition(".")[0] for name in before} - changed(
        before, learner
    )
    now, expected = learner.model.state_dict(), golden_model(golden).state_dict()
    for name in (name for name in now if name.startswith(("vision", "pixel", "mask"))):
        fresh = re.search(r"(adapter_1|layer_1)\.0\.bias", name)
        assert now[name].equal(before[name] if fresh else expected[name]), name


@pytest.mark.parametrize(
    "prefix", ["model.mm_projector.", "mm_projector.", "base.model.mm_projector."]
)
def test_a_connector_without_statistics_keeps_fresh_ones(
    golden: Golden, learner: TrainablePSALM, tmp_path: Path, prefix: str
) -> None:
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    projector = {
        name.replace("model.mm_projector.", prefix): tensor
        for name, tensor in golden.weights().items()
        if name.startswith("model.mm_projector.") and not name.endswith(STATISTICS)
    }
    torch.save(projector, tmp_path / "mm_projector.bin")
    learner.init_from(tmp_path)
    assert changed(before, learner) == {"connector"}
    assert learner.model.connector.bn1.running_var.unique().tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"backbone.norm2.bias": None},
            "lacks vision_tower.backbone.hidden_states_norms.stage3.bias",
        ),
        (
            {"backbone.norm2.bias": np.zeros(3, np.float32)},
            r"model\.vision_tower\.norm2\.bias \(3,\)",
        ),
        ({"backbone.norm9.bias": np.zeros(3, np.float32)}, r"unknown model\.vision_tower\.norm9"),
        (
            {"roi_heads.weight": np.zeros(3, np.float32)},
            r"initialize a PSALM: roi_heads\.weight\?",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    golden: Golden,
    learner: TrainablePSALM,
    tmp_path: Path,
    change: dict[str, np.ndarray | None],
    said: str,
) -> None:
    arrays = {n: a for n, a in (mask2former(golden) | change).items() if a is not None}
    with pytest.raises(WeightsError, match=said) as caught:
        learner.init_from(write(tmp_path / "base", arrays))
    assert "\n" not in str(caught.value)


PHI = {
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "partial_rotary_factor": 0.5,
}
Official = dict[str, Tensor]


def covered(official: Official) -> Coverage:
    """Sizes from the files, then the check against our own modules."""
    shapes = {name: tuple(tensor.shape) for name, tensor in official.items()}
    config = PSALMConfig.from_dict(psalm_sizes(shapes, PHI))
    return cover(psalm_rules(32, config.vocabulary), official, own_shapes(lambda: PSALM(config)))


def test_the_tensor_list_is_the_published_one(published: Official) -> None:
    assert len(published) == 935
    buffers = ("relative_position_index", "running_mean", "running_var", "num_batches_tracked")
    parameters = sum(t.numel() for name, t in published.items() if not name.endswith(buffers))
    assert round(parameters / 1e6, 1) == 1587.1


def test_sizes_come_from_the_files(published: Official) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in published.items()}
    assert PSALMConfig.from_dict(psalm_sizes(shapes, PHI)) == PSALMConfig()


def test_conversion_covers_the_published_size_both_ways(published: Official) -> None:
    coverage = covered(published)
    require_complete(coverage, "it")
    assert coverage.used.keys() | coverage.dropped.keys() == published.keys()
    filled = [ours for names in coverage.used.values() for ours in names]
    assert sorted(filled) == sorted(own_shapes(lambda: PSALM(PSALMConfig())))
    assert len(coverage.dropped) == 24 + 2 and all(coverage.dropped.values())
    assert coverage.lines()[0] == f"909 official tensors used, which fill {len(filled)} of ours"


def test_separate_projections_are_covered_too(published: Official) -> None:
    apart = {name: t for name, t in published.items() if "query_key_value" not in name}
    for layer in range(24):
        for part in "qkv":
            at = f"model.layers.{layer}.self_attn.{part}_proj"
            apart[f"{at}.weight"] = torch.empty(2048, 2048, device="meta")
            apart[f"{at}.bias"] = torch.empty(2048, device="meta")
    require_complete(covered(apart), "it")


def test_rows_that_no_token_has_are_cut(published: Official) -> None:
    padded = published | {"lm_head.weight": torch.empty(51200, 2048, device="meta")}
    require_complete(covered(padded), "it")
    both = padded | {"model.embed_tokens.weight": torch.empty(51200, 2048, device="meta")}
    require_complete(covered(both), "it")


# Taken away -> what is then reported of ours.
MISSING = {
    "seg_query": "seg_query",
    "region_projector.bias": "condition_projectors.region.bias",
    "pixel_decoder.adapter_1.0.bias": "pixel_decoder.decoder.adapter_1.0.bias",
    "model.mm_projector.layer1.0.bn2.running_var": "connector.bn2.running_var",
    "model.layers.23.self_attn.query_key_value.bias": "language.layers.23.self_attn.q_proj.bias",
    "predictor.transformer_ffn_layers.8.norm.weight": (
        "mask_decoder.decoder.layers.8.final_layer_norm.weight"
    ),
    "model.vision_tower.layers.3.blocks.1.attn.qkv.weight": (
        "vision_tower.backbone.swin.encoder.layers.3.blocks.1.attention.k_proj.weight"
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_tensor_is_named(published: Official, name: str) -> None:
    official = {key: tensor for key, tensor in published.items() if key != name}
    coverage = covered(official)
    assert MISSING[name] in coverage.missing and not coverage.unknown
    with pytest.raises(WeightsError, match="it is no complete checkpoint: it lacks"):
        require_complete(coverage, "it")


@pytest.mark.parametrize("name", ["extra", "model.layers.3.self_attn.extra", "predictor.x.weight"])
def test_an_extra_tensor_is_named(published: Official, name: str) -> None:
    coverage = covered(published | {name: torch.empty(1, device="meta")})
    assert coverage.unknown == (name,) and not coverage.missing
    assert not coverage.complete and name in coverage.sentence()


def test_a_tensor_of_one_layer_too_many_is_named(published: Official) -> None:
    name = "predictor.mask_embed.layers.3.weight"
    coverage = covered(published | {name: torch.empty(256, 256, device="meta")})
    assert coverage.unknown == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "seg_query",
        "pixel_decoder.mask_features.weight",
        "pixel_decoder.mask_features.bias",
        "model.vision_tower.patch_embed.proj.weight",
        "model.final_layernorm.weight",
        "model.mm_projector.layer1.0.bn1.weight",
        "predictor.decoder_norm.weight",
        "predictor.query_embed.weight",
        "model.layers.0.self_attn.query_key_value.weight",
        "predictor.transformer_self_attention_layers.0.self_attn.in_proj_bias",
        "model.vision_tower.layers.2.blocks.9.attn.relative_position_bias_table",
    ],
)
def test_a_misshapen_tensor_is_named(published: Official, name: str) -> None:
    rows, *rest = published[name].shape
    coverage = covered(published | {name: torch.empty(rows + 1, *rest, device="meta")})
    assert any(what.startswith(f"{name} ({rows + 1},") for what in coverage.misshapen)
    assert len(coverage.misshapen) == 1


def test_a_renamed_tensor_is_named_on_both_sides(published: Official) -> None:
    official = dict(published)
    official["seg_queries"] = official.pop("seg_query")
    coverage = covered(official)
    assert (coverage.unknown, coverage.missing) == (("seg_queries",), ("seg_query",))


def test_a_folder_of_the_full_size_is_inspected(
    published: Official, official_psalm: Path, tmp_path: Path
) -> None:
    """Sparse files: every key, every true shape, three gigabytes that take no disk space."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llava_phi", **PHI}))
    shutil.copy(official_psalm / "tokenizer.json", tmp_path)
    shard, header, end = tmp_path / "model-00001-of-00001.safetensors", {}, 0
    for name, tensor in published.items():
        kind = ("I64", 8) if name.endswith(("_index", "_tracked")) else ("F16", 2)
        begin, end = end, end + kind[1] * tensor.numel()
        header[name] = {"dtype": kind[0], "shape": tensor.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with shard.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    found = open_official_psalm(tmp_path)
    require_complete(found.coverage, tmp_path)
    assert PSALMConfig.from_dict(found.sizes) == PSALMConfig()
    assert shard.stat().st_size > 3.1e9 > 1e6 > 512 * shard.stat().st_blocks
    with shard.open("r+b") as file:
        file.truncate(shard.stat().st_size - 1)
    with pytest.raises(WeightsError, match="is damaged"):
        open_official_psalm(tmp_path)


def test_every_reason_is_stated() -> None:
    drops = [rule for rule in psalm_rules(1, 1) if isinstance(rule, Drop)]
    assert len(drops) >= 5 and all(len(rule.reason) > 10 for rule in drops)


def test_another_model_is_no_psalm() -> None:
    with pytest.raises(WeightsError, match="no PSALM checkpoint"):
        psalm_sizes({"encoder.weight": (3, 4)}, {})


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_unfusing_phi_undoes_its_fusing(heads: int, size: int, bias: bool) -> None:
    """Rows of the fused projection are ordered head, then q k v, then channel of the head."""
    width = heads * size
    shape = (width,) if bias else (width, width)
    parts = {part: torch.randn(shape) for part in "qkv"}
    fused = torch.cat(
        [parts[part][head * size : (head + 1) * size] for head in range(heads) for part in "qkv"]
    )
    entry = "bias" if bias else "weight"
    name = f"model.layers.7.self_attn.query_key_value.{entry}"
    ours = convert(psalm_rules(heads, 1), name, fused)
    assert ours.keys() == {f"language.layers.7.self_attn.{part}_proj.{entry}" for part in "qkv"}
    for part, tensor in parts.items():
        assert ours[f"language.layers.7.self_attn.{part}_proj.{entry}"].equal(tensor)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.booleans(), st.booleans())
def test_blocks_of_rows_become_projections(width: int, bias: bool, swin: bool) -> None:
    parts = {part: torch.randn((width,) if bias else (width, width)) for part in "qkv"}
    entry = "bias" if bias else "weight"
    if swin:
        name = f"model.vision_tower.layers.2.blocks.11.attn.qkv.{entry}"
        target = (
            f"vision_tower.backbone.swin.encoder.layers.2.blocks.11.attention.{{}}_proj.{entry}"
        )
    else:
        name = f"predictor.transformer_self_attention_layers.3.self_attn.in_proj_{entry}"
        target = f"mask_decoder.decoder.layers.3.self_attn.{{}}_proj.{entry}"
    ours = convert(psalm_rules(1, 1), name, torch.cat([parts[part] for part in "qkv"]))
    assert len(ours) == 3
    for part, tensor in parts.items():
        assert ours[target.format(part)].equal(tensor)
