"""Conversion of the authors' full-size state dict covers every tensor under every alias."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models
from torch import Tensor

from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.conversion import mvp_lm_rules, mvp_lm_sizes, open_official_mvp_lm
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.official import own_shapes
from vlseg_cli.models.registry import official_system
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import Coverage, cover, require_complete

PHI = {"num_attention_heads": 32, "max_position_embeddings": 2048, "partial_rotary_factor": 0.5}
ALIASES = (
    "predictor._bbox_embed",
    *(f"predictor.bbox_embed.{layer}" for layer in range(9)),
    *(f"predictor.decoder.bbox_embed.{layer}" for layer in range(9)),
)
Official = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def affine(name: str, *weight: int) -> Shapes:
    return {f"{name}.weight": weight, f"{name}.bias": weight[:1]}


def deformable(at: str) -> Shapes:
    return (
        affine(f"{at}.sampling_offsets", 256, 256)
        | affine(f"{at}.attention_weights", 128, 256)
        | affine(f"{at}.value_proj", 256, 256)
        | affine(f"{at}.output_proj", 256, 256)
    )


def pixel_decoder() -> Shapes:
    shapes: Shapes = {"pixel_decoder.transformer.level_embed": (4, 256)}
    for level, kernel in enumerate(((256, 1, 1), (512, 1, 1), (1024, 1, 1), (1024, 3, 3))):
        shapes |= affine(f"pixel_decoder.input_proj.{level}.0", 256, *kernel)
        shapes |= affine(f"pixel_decoder.input_proj.{level}.1", 256)
    for layer in range(6):
        at = f"pixel_decoder.transformer.encoder.layers.{layer}"
        shapes |= deformable(f"{at}.self_attn") | affine(f"{at}.norm1", 256)
        shapes |= affine(f"{at}.linear1", 2048, 256) | affine(f"{at}.linear2", 256, 2048)
        shapes |= affine(f"{at}.norm2", 256)
    shapes |= affine("pixel_decoder.mask_features", 256, 256, 1, 1)
    for name, *weight in (("adapter_1", 256, 128, 1, 1), ("layer_1", 256, 256, 3, 3)):
        shapes[f"pixel_decoder.{name}.weight"] = tuple(weight)
        shapes |= affine(f"pixel_decoder.{name}.norm", 256)
    return shapes


def predictor() -> Shapes:
    shapes = affine("predictor.enc_output", 256, 256) | affine("predictor.enc_output_norm", 256)
    for layer in range(9):
        at = f"predictor.decoder.layers.{layer}"
        shapes |= deformable(f"{at}.cross_attn") | affine(f"{at}.self_attn.out_proj", 256, 256)
        shapes[f"{at}.self_attn.in_proj_weight"] = (768, 256)
        shapes[f"{at}.self_attn.in_proj_bias"] = (768,)
        for norm in ("norm1", "norm2", "norm3"):
            shapes |= affine(f"{at}.{norm}", 256)
        shapes |= affine(f"{at}.linear1", 2048, 256) | affine(f"{at}.linear2", 256, 2048)
    for head in ("CLASS_proj", "SEG_proj", "REGION_proj", "mask_embed"):
        for layer in range(3 if head == "mask_embed" else 2):
            shapes |= affine(f"predictor.{head}.layers.{layer}", 256, 256)
    shapes |= affine("predictor.decoder.ref_point_head.layers.0", 256, 512)
    shapes |= affine("predictor.decoder.ref_point_head.layers.1", 256, 256)
    for alias in ALIASES:
        for layer, rows in enumerate((256, 256, 4)):
            shapes |= affine(f"{alias}.layers.{layer}", rows, 256)
    shapes["predictor.SEG_query_feat.weight"] = (100, 256)
    shapes["predictor.SEG_query_embed.weight"] = (100, 4)
    return shapes | affine("predictor.decoder_norm", 256) | affine("predictor.decoder.norm", 256)


def conditions() -> Shapes:
    shapes: Shapes = {}
    for name in ("class_name", "region", "seg_query"):
        shapes |= affine(f"{name}_projector", 256, 2048)
    shapes |= affine("SEG_token_projector", 256, 2048)
    shapes |= affine("expanded_seg_query_project", 2048, 256)
    for name, columns in (("stuff_query", 256), ("stuff_embed", 4)):
        shapes[f"{name}.weight"] = (100, columns)
    for name, columns in (("thing_query", 2048), ("thing_embed", 4)):
        shapes[f"{name}.weight"] = (100, columns)
    return shapes


@pytest.fixture(scope="module")
def saved(published: Official) -> Official:
    """Every entry on the meta device; Swin, connector and Phi are named as in PSALM's."""
    shared = {k: t for k, t in published.items() if k.startswith(("model.", "lm_head."))}
    shapes = pixel_decoder() | predictor() | conditions()
    return shared | {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def covered(official: Official) -> Coverage:
    shapes = {name: tuple(tensor.shape) for name, tensor in official.items()}
    config = MVPLMConfig.from_dict(mvp_lm_sizes(shapes, PHI))
    rules = mvp_lm_rules(config.language_heads, config.vocabulary, official)
    return cover(rules, official, own_shapes(lambda: MVPLM(config)))


def test_the_number_of_tensors_equals_the_authors_code(saved: Official) -> None:
    assert len(saved) == 1100


def test_sizes_are_derived_from_the_tensors(saved: Official) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in saved.items()}
    assert MVPLMConfig.from_dict(mvp_lm_sizes(shapes, PHI)) == MVPLMConfig()


def test_conversion_covers_all_tensors_in_both_directions(saved: Official) -> None:
    coverage = covered(saved)
    require_complete(coverage, "it")
    assert coverage.used.keys() | coverage.dropped.keys() == saved.keys()
    filled = [ours for names in coverage.used.values() for ours in names]
    assert sorted(filled) == sorted(own_shapes(lambda: MVPLM(MVPLMConfig())))


@pytest.mark.parametrize("alias", ["predictor._bbox_embed", "predictor.decoder.bbox_embed.7"])
def test_one_alias_of_the_box_head_is_enough(saved: Official, alias: str) -> None:
    others = tuple(f"{other}." for other in ALIASES if other != alias)
    one = {name: tensor for name, tensor in saved.items() if not name.startswith(others)}
    assert len(saved) - len(one) == 18 * 6
    require_complete(covered(one), "it")
    none = {name: tensor for name, tensor in one.items() if not name.startswith(f"{alias}.")}
    assert "decoder.box_head.layers.2.bias" in covered(none).missing


@pytest.mark.parametrize("name", ["stuff_query.weight", "predictor.decoder.layers.8.linear1.bias"])
def test_a_missing_tensor_is_named(saved: Official, name: str) -> None:
    coverage = covered({key: tensor for key, tensor in saved.items() if key != name})
    assert len(coverage.missing) == 1 and not coverage.unknown


def test_an_extra_tensor_is_named(saved: Official) -> None:
    name = "predictor.decoder.extra.weight"
    assert covered(saved | {name: torch.empty(1, device="meta")}).unknown == (name,)


def test_a_full_size_folder_is_recognized_and_complete(saved: Official, tmp_path: Path) -> None:
    """Sparse files: every key with its true shape, gigabytes that occupy no disk space."""
    config = {"model_type": "openseed_phi", **PHI}
    (tmp_path / "config.json").write_text(json.dumps(config))
    words = RustTokenizer(models.WordLevel({"[UNK]": 0, "[SEG]": 1}, unk_token="[UNK]"))
    words.save(str(tmp_path / "tokenizer.json"))
    shard, header, end = tmp_path / "model.safetensors", {}, 0
    for name, tensor in saved.items():
        kind = ("I64", 8) if name.endswith(("_index", "_tracked")) else ("F16", 2)
        begin, end = end, end + kind[1] * tensor.numel()
        header[name] = {"dtype": kind[0], "shape": tensor.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with shard.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    assert official_system(tmp_path) == "mvp-lm"
    found = open_official_mvp_lm(tmp_path)
    require_complete(found.coverage, tmp_path)
    assert MVPLMConfig.from_dict(found.sizes) == MVPLMConfig()


def test_other_checkpoints_are_rejected() -> None:
    with pytest.raises(WeightsError, match="no MVP-LM checkpoint"):
        mvp_lm_sizes({"encoder.weight": (3, 4)}, {})
