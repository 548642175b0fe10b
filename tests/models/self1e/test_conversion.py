"""A tiny official folder in every naming: opened, converted, used and trained from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models.self1e_tiny import tokenizer
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.models.convert import convert_folder
from vlseg_cli.models.official import own_shapes
from vlseg_cli.models.registry import load_model, official_system
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.conversion import (
    SELF1E_RULES,
    init_from_internvl,
    open_official_self1e,
    self1e_sizes,
)
from vlseg_cli.models.self1e.modeling import SELF1E
from vlseg_cli.models.self1e.prompts import self1e_tokenizer
from vlseg_cli.schema import (
    Expression,
    Frame,
    Prediction,
    PromptRequest,
    Question,
    Task,
    WeightsError,
)
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.text.tokenizer import SEG
from vlseg_cli.weights.conversion.coverage import Coverage, cover, require_complete
from vlseg_cli.weights.conversion.rules import SplitRows, convert

GOLDEN = Path(__file__).parents[2] / "parity" / "goldens" / "self1e-a.safetensors"
HEADS = "combine_decode_proj"


def write(folder: Path, tensors: dict[str, Tensor], config: dict[str, Any]) -> Path:
    """An official folder with a tokenizer of 128 rows at most, as the golden model has them."""
    folder.mkdir()
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "m.safetensors"
    )
    (folder / "config.json").write_text(json.dumps(config))
    words = ["what", "is", "the", "red", "cup", "keeps", "food", "cold", "?"]
    self1e_tokenizer(words).save(folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def published() -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(str(GOLDEN), "pt") as file:
        tensors = {key[2:]: file.get_tensor(key) for key in file.keys() if key[:2] == "w/"}  # noqa: SIM118
        config = json.loads(file.metadata()["config"])
    return tensors, config | {"model_type": "internvl_chat"}


@pytest.fixture
def official(published: tuple[dict[str, Tensor], dict[str, Any]], tmp_path: Path) -> Path:
    return write(tmp_path / "official", *published)


def in_hf_naming(
    published: tuple[dict[str, Tensor], dict[str, Any]], newer: bool
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The same model as transformers' repositories name it."""
    tensors, config = published
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.startswith(HEADS):
            renamed[name] = tensor
            continue
        for ours, part in convert(SELF1E_RULES, name, tensor).items():
            theirs = ours.removeprefix("internvl.")
            if not newer:
                theirs = theirs.replace("model.language_model.", "language_model.model.")
                theirs = theirs.replace("lm_head.", "language_model.lm_head.")
                theirs = theirs.removeprefix("model.")
            renamed[theirs] = part
    text = dict(config["llm_config"], model_type="qwen2", architectures=None)
    vision = {k: v for k, v in config["vision_config"].items() if k != "architectures"}
    return renamed, {"model_type": "internvl", "text_config": text, "vision_config": vision}


def predictions_of(folder: Path) -> list[Prediction]:
    model = load_model(str(folder), "cpu")
    frame = Frame(draw_scene(900_000, 96).pixels, "scene", 0)
    requests = [
        PromptRequest(0, Task.REFER, Expression("the red cup")),
        PromptRequest(0, Task.REASON, Question("what keeps food cold?")),
    ]
    return model.predict(model.encode([frame]), requests)


def test_a_converted_folder_predicts_like_the_official_one(official: Path, tmp_path: Path) -> None:
    assert official_system(official) == "self1e"
    convert_folder(official, tmp_path / "ours", {"source": "a test"})
    first, again = predictions_of(official), predictions_of(tmp_path / "ours")
    assert any(p.segments for p in first)
    assert [p.segments for p in first] == [p.segments for p in again]


@pytest.mark.parametrize("newer", [False, True])
def test_every_naming_converts_to_the_same_model(
    published: tuple[dict[str, Tensor], dict[str, Any]], official: Path, tmp_path: Path, newer: bool
) -> None:
    renamed = in_hf_naming(published, newer)
    assert any(name.startswith("vision_tower.") for name in renamed[0]) is not newer
    other = write(tmp_path / "hf", *renamed)
    ours, theirs = (open_official_self1e(folder) for folder in (official, other))
    assert ours.sizes == theirs.sizes and theirs.coverage.complete
    first, again = dict(ours.read(ours.sources)), dict(theirs.read(theirs.sources))
    assert first.keys() == again.keys()
    assert all(again[name].equal(tensor) for name, tensor in first.items())


def test_a_base_model_lacks_the_heads_and_initializes_training(
    published: tuple[dict[str, Tensor], dict[str, Any]], tmp_path: Path
) -> None:
    tensors, config = published
    bare = {name: t for name, t in tensors.items() if not name.startswith(HEADS)}
    bare = {name: t for name, t in bare.items() if "lm_head" not in name}
    rows = len(tokenizer_of(tmp_path, published)) - 1
    table = "language_model.model.embed_tokens.weight"
    bare[table] = bare[table][:rows]
    folder = write(tmp_path / "base", bare, config)
    with pytest.raises(WeightsError):
        load_model(str(folder), "cpu")
    torch.manual_seed(0)
    model, loaded, new_parts = init_from_internvl(folder)
    embeddings, head = model.internvl.get_input_embeddings().weight, model.internvl.lm_head.weight
    assert len(embeddings) == len(head) == len(loaded) == rows + 1
    assert embeddings[:rows].equal(bare[table]) and head[:rows].equal(bare[table])
    torch.testing.assert_close(embeddings[rows], bare[table].mean(0), atol=1e-4, rtol=0)
    assert new_parts == ("refill",)
    assert 0.015 < model.refill.amplify[0].weight.std() < 0.025


def tokenizer_of(where: Path, published: tuple[dict[str, Tensor], dict[str, Any]]) -> Any:
    return open_official_self1e(write(where / "whole", *published)).tokenizer


def test_a_missing_seg_token_is_added(official: Path) -> None:
    file = official / "tokenizer.json"
    table = json.loads(file.read_text())
    count = len(table["model"]["vocab"])
    del table["model"]["vocab"][SEG]
    table["added_tokens"] = [one for one in table["added_tokens"] if one["content"] != SEG]
    file.write_text(json.dumps(table))
    loaded = open_official_self1e(official).tokenizer
    assert loaded.seg == count or loaded.seg == count - 1
    assert loaded.ids(f"cup {SEG}")[-1] == loaded.seg
    assert loaded.rust.decode([loaded.seg]) == SEG  # no special token, as with the authors


def test_a_tokenizer_larger_than_the_model_is_rejected(official: Path) -> None:
    tokenizer().save(official / "tokenizer.json")
    with pytest.raises(WeightsError, match="the model only 128: they are not of one model"):
        open_official_self1e(official)


def test_converted_values_equal_the_published_ones(official: Path, tmp_path: Path) -> None:
    opened = open_official_self1e(official)
    for name, names in opened.coverage.used.items():
        whole = np.concatenate([t.numpy() for _, t in opened.read(names)])
        assert np.array_equal(whole, opened.tensors[name].numpy())


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
def test_every_naming_is_covered_in_both_directions(naming: str) -> None:
    shapes, config = NAMINGS[naming]
    sizes, coverage, own = covered(shapes, config)
    require_complete(coverage, naming)
    assert coverage.used.keys() == shapes.keys()
    filled = [ours for names in coverage.used.values() for ours in names]
    assert sorted(filled) == sorted(own)
    if naming in ("authors, 2B", "-hf, newer"):
        assert sizes == SELF1EConfig()


def test_the_number_of_tensors_and_parameters_equals_the_published_model() -> None:
    shapes = NAMINGS["authors, 2B"][0]
    assert len(shapes) == 697
    numbers = sum(torch.Size(shape).numel() for shape in shapes.values())
    assert round(numbers / 1e6, 1) == 2117.3


def test_qkv_rows_are_split_in_this_order() -> None:
    (split,) = (rule for rule in SELF1E_RULES if isinstance(rule, SplitRows))
    assert split.parts == "qkv"


def test_qwen3_has_query_and_key_norms() -> None:
    text = SMALL | {"architectures": ["Qwen3ForCausalLM"], "num_hidden_layers": 1, "head_dim": 64}
    config = SMALL_CONFIG | {"llm_config": text}
    sizes = SELF1EConfig.from_dict(self1e_sizes(NAMINGS["authors, 2B"][0], config))
    assert (sizes.language, sizes.language_head_channels) == ("qwen3", 64)
    own = own_shapes(lambda: SELF1E(sizes))
    at = "internvl.model.language_model.layers.0.self_attn"
    assert own[f"{at}.q_norm.weight"] == (64,) and own[f"{at}.q_proj.weight"] == (768, 1536)
    assert f"{at}.q_proj.bias" not in own


def test_missing_and_unknown_tensors_are_named() -> None:
    shapes = dict(NAMINGS["authors, 2B"][0])
    shapes["combine_decode.0.weight"] = shapes.pop("combine_decode_proj.0.weight")
    shapes["mlp1.1.bias"] = (1535,)
    _, coverage, _ = covered(shapes, SMALL_CONFIG)
    assert "lacks refill.describe.0.weight" in coverage.sentence()
    assert "has unknown combine_decode.0.weight" in coverage.sentence()
    assert "mlp1.1.bias (1535,)" in coverage.sentence()


@pytest.mark.parametrize(
    ("change", "message"),
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
def test_unsupported_configurations_are_rejected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        self1e_sizes(NAMINGS["authors, 2B"][0], SMALL_CONFIG | change)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_token_embeddings_is_rejected() -> None:
    with pytest.raises(WeightsError, match="no single tensor of token embeddings"):
        self1e_sizes(vision(), SMALL_CONFIG)
