"""InternVL and SELF1E checkpoints at the published sizes, tensor by tensor, in every naming."""

from typing import Any

import pytest
import torch
from torch import Tensor

from vlseg_cli.models.configs.self1e import SELF1EConfig
from vlseg_cli.models.official.folder import own_shapes
from vlseg_cli.models.self1e import SELF1E
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import Coverage, cover, require_complete
from vlseg_cli.weights.convert.rules import SplitRows
from vlseg_cli.weights.convert.self1e import SELF1E_RULES
from vlseg_cli.weights.convert.self1e_sizes import self1e_sizes

Shapes = dict[str, tuple[int, ...]]

VISION = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "patch_size": 14,
    "image_size": 448,
}
SMALL = {
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 1536,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "intermediate_size": 8960,
    "max_position_embeddings": 32768,
    "rope_theta": 1000000.0,
    "rope_scaling": {"type": "dynamic", "factor": 2.0},
}
LARGE = SMALL | {
    "hidden_size": 3584,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "intermediate_size": 18944,
}
SMALL_CONFIG = {
    "model_type": "internvl_chat",
    "llm_config": SMALL,
    "vision_config": VISION | {"norm_type": "layer_norm", "qk_normalization": False},
    "force_image_size": 448,
    "ps_version": "v2",
}
HF_CONFIG = {
    "model_type": "internvl",
    "text_config": {k: v for k, v in SMALL.items() if k not in ("architectures", "rope_theta")}
    | {"model_type": "qwen2", "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}},
    "vision_config": VISION | {"image_size": [448, 448], "patch_size": [14, 14]},
}


def affine(name: str, *weight: int) -> Shapes:
    return {f"{name}.weight": weight, f"{name}.bias": weight[:1]}


def language(config: dict[str, Any], rows: int, model: str, head: str) -> Shapes:
    d, ffn = config["hidden_size"], config["intermediate_size"]
    kv = d // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes: Shapes = {f"{model}.embed_tokens.weight": (rows, d), head: (rows, d)}
    shapes[f"{model}.norm.weight"] = (d,)
    for layer in range(config["num_hidden_layers"]):
        at = f"{model}.layers.{layer}"
        shapes |= affine(f"{at}.self_attn.q_proj", d, d)
        shapes |= affine(f"{at}.self_attn.k_proj", kv, d) | affine(f"{at}.self_attn.v_proj", kv, d)
        shapes[f"{at}.self_attn.o_proj.weight"] = (d, d)
        for name in ("gate_proj", "up_proj"):
            shapes[f"{at}.mlp.{name}.weight"] = (ffn, d)
        shapes[f"{at}.mlp.down_proj.weight"] = (d, ffn)
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{at}.{name}.weight"] = (d,)
    return shapes


def vision() -> Shapes:
    shapes: Shapes = {
        "vision_model.embeddings.class_embedding": (1, 1, 1024),
        "vision_model.embeddings.position_embedding": (1, 1025, 1024),
    }
    shapes |= affine("vision_model.embeddings.patch_embedding", 1024, 3, 14, 14)
    for layer in range(24):
        at = f"vision_model.encoder.layers.{layer}"
        shapes |= {f"{at}.ls1": (1024,), f"{at}.ls2": (1024,)}
        shapes |= affine(f"{at}.attn.qkv", 3072, 1024) | affine(f"{at}.attn.proj", 1024, 1024)
        shapes |= affine(f"{at}.mlp.fc1", 4096, 1024) | affine(f"{at}.mlp.fc2", 1024, 4096)
        shapes |= affine(f"{at}.norm1", 1024) | affine(f"{at}.norm2", 1024)
    return shapes


def vision_hf(tower: str) -> Shapes:
    shapes: Shapes = {
        f"{tower}.embeddings.cls_token": (1, 1, 1024),
        f"{tower}.embeddings.position_embeddings": (1, 1025, 1024),
    }
    shapes |= affine(f"{tower}.embeddings.patch_embeddings.projection", 1024, 3, 14, 14)
    for layer in range(24):
        at = f"{tower}.encoder.layer.{layer}"
        shapes |= {f"{at}.lambda_1": (1024,), f"{at}.lambda_2": (1024,)}
        for name in ("q_proj", "k_proj", "v_proj", "projection_layer"):
            shapes |= affine(f"{at}.attention.{name}", 1024, 1024)
        shapes |= affine(f"{at}.mlp.fc1", 4096, 1024) | affine(f"{at}.mlp.fc2", 1024, 4096)
        shapes |= affine(f"{at}.layernorm_before", 1024) | affine(f"{at}.layernorm_after", 1024)
    return shapes


def projector(names: tuple[str, str, str], d: int) -> Shapes:
    norm, first, second = names
    return affine(norm, 4096) | affine(first, d, 4096) | affine(second, d, d)


def heads(d: int) -> Shapes:
    shapes: Shapes = {}
    for name, out in (("", d), ("_all", 4 * d), ("_ori", 4 * d)):
        shapes |= affine(f"combine_decode_proj{name}.0", d, d)
        shapes |= affine(f"combine_decode_proj{name}.2", out, d)
    return shapes


def authors(config: dict[str, Any], rows: int) -> Shapes:
    d = config["hidden_size"]
    return (
        vision()
        | projector(("mlp1.0", "mlp1.1", "mlp1.3"), d)
        | language(config, rows, "language_model.model", "language_model.lm_head.weight")
        | heads(d)
    )


def hf(tower: str, project: str, model: str, head: str) -> Shapes:
    names = tuple(f"{project}.{part}" for part in ("layer_norm", "linear_1", "linear_2"))
    assert len(names) == 3
    shapes = vision_hf(tower) | projector(names, 1536) | language(SMALL, 151676, model, head)
    return shapes | heads(1536)


NAMINGS = {
    "authors, 2B": (authors(SMALL, 151676), SMALL_CONFIG),
    "authors, without [SEGT]": (authors(SMALL, 151675), SMALL_CONFIG),
    "authors, 8B": (authors(LARGE, 151676), SMALL_CONFIG | {"llm_config": LARGE}),
    "-hf, older": (
        hf(
            "vision_tower",
            "multi_modal_projector",
            "language_model.model",
            "language_model.lm_head.weight",
        ),
        HF_CONFIG,
    ),
    "-hf, newer": (
        hf(
            "model.vision_tower",
            "model.multi_modal_projector",
            "model.language_model",
            "lm_head.weight",
        ),
        HF_CONFIG,
    ),
}


def covered(shapes: Shapes, config: dict[str, Any]) -> tuple[SELF1EConfig, Coverage, Shapes]:
    sizes = SELF1EConfig.from_dict(self1e_sizes(shapes, config))
    own = own_shapes(lambda: SELF1E(sizes))
    tensors: dict[str, Tensor] = {n: torch.empty(s, device="meta") for n, s in shapes.items()}
    return sizes, cover(SELF1E_RULES, tensors, own), own


@pytest.mark.parametrize("naming", NAMINGS)
def test_every_naming_is_covered_both_ways(naming: str) -> None:
    shapes, config = NAMINGS[naming]
    sizes, coverage, own = covered(shapes, config)
    require_complete(coverage, naming)
    assert coverage.used.keys() == shapes.keys()
    filled = [ours for names in coverage.used.values() for ours in names]
    assert sorted(filled) == sorted(own)
    if naming in ("authors, 2B", "-hf, newer"):
        assert sizes == SELF1EConfig()


def test_the_list_is_the_published_one() -> None:
    shapes = NAMINGS["authors, 2B"][0]
    assert len(shapes) == 697
    numbers = sum(torch.Size(shape).numel() for shape in shapes.values())
    assert round(numbers / 1e6, 1) == 2117.3


def test_queries_keys_and_values_stand_in_this_order() -> None:
    (split,) = (rule for rule in SELF1E_RULES if isinstance(rule, SplitRows))
    assert split.parts == "qkv"


def test_a_qwen3_has_norms_of_its_own() -> None:
    text = SMALL | {"architectures": ["Qwen3ForCausalLM"], "num_hidden_layers": 1, "head_dim": 64}
    config = SMALL_CONFIG | {"llm_config": text}
    sizes = SELF1EConfig.from_dict(self1e_sizes(NAMINGS["authors, 2B"][0], config))
    assert (sizes.language, sizes.language_head_channels) == ("qwen3", 64)
    own = own_shapes(lambda: SELF1E(sizes))
    at = "internvl.model.language_model.layers.0.self_attn"
    assert own[f"{at}.q_norm.weight"] == (64,) and own[f"{at}.q_proj.weight"] == (768, 1536)
    assert f"{at}.q_proj.bias" not in own


def test_what_is_missing_or_unknown_is_named() -> None:
    shapes = dict(NAMINGS["authors, 2B"][0])
    shapes["combine_decode.0.weight"] = shapes.pop("combine_decode_proj.0.weight")
    shapes["mlp1.1.bias"] = (1535,)
    _, coverage, _ = covered(shapes, SMALL_CONFIG)
    assert "lacks refill.describe.0.weight" in coverage.sentence()
    assert "has unknown combine_decode.0.weight" in coverage.sentence()
    assert "mlp1.1.bias (1535,)" in coverage.sentence()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"llm_config": SMALL | {"architectures": ["InternLM2ForCausalLM"]}},
            "InternLM2ForCausalLM",
        ),
        ({"ps_version": "v1"}, "another order"),
        ({"vision_config": VISION | {"qk_normalization": True}}, "large InternViT"),
        ({"vision_config": None}, "no table 'vision_config'"),
        ({"llm_config": SMALL | {"num_attention_heads": 0}}, "which cannot be"),
        ({"llm_config": SMALL | {"hidden_size": "wide"}}, "hidden_size is 'wide'"),
    ],
)
def test_configurations_that_are_none_of_ours(change: dict[str, Any], said: str) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        self1e_sizes(NAMINGS["authors, 2B"][0], SMALL_CONFIG | change)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_words() -> None:
    with pytest.raises(WeightsError, match="no one tensor of word embeddings"):
        self1e_sizes(vision(), SMALL_CONFIG)
