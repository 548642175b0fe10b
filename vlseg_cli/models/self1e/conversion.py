"""Published SELF1E and InternVL checkpoints to ours: sizes, rules for every tensor, initialization.

Three namings are read: InternVL's own (``vision_model``, ``mlp1``, ``llm_config``), which the
authors use, too, and the older and newer ones of its ``-hf`` repositories (``text_config``). Sizes
come from config.json, the rows of the embedding, which versions differ in, from its tensor. Source:
SELF1E section 11, and 9.2 for training from a plain InternVL.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from torch import Tensor

from vlseg_cli.models.checkpoint import part_names
from vlseg_cli.models.official import OfficialFolder, inspect_official
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.modeling import SELF1E
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.conversion.coverage import Shapes, shapes_of
from vlseg_cli.weights.conversion.rules import Drop, Rename, Rule, SplitRows, convert
from vlseg_cli.weights.conversion.tokenizer import official_tokenizer
from vlseg_cli.weights.folder import load_into
from vlseg_cli.weights.read.checkpoint import read_checkpoint
from vlseg_cli.weights.settings import read_config

# In config.json: InternVL's own and that of its -hf repositories.
MODEL_TYPES = ("internvl_chat", "internvl")

_BLOCK = r"vision_model\.encoder\.layers\.(\d+)"
_OUR_TOWER = "internvl.model.vision_tower"
_OUR_BLOCK = rf"{_OUR_TOWER}.encoder.layer.\1"
_OUR_PROJECTOR = "internvl.model.multi_modal_projector"
_OUR_LANGUAGE = "internvl.model.language_model"

_RECOMPUTED = Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical")

_REFILL: tuple[Rule, ...] = (
    Rename(r"combine_decode_proj\.([02])\.(weight|bias)", r"refill.describe.\1.\2"),
    Rename(r"combine_decode_proj_all\.([02])\.(weight|bias)", r"refill.amplify.\1.\2"),
    Rename(r"combine_decode_proj_ori\.([02])\.(weight|bias)", r"refill.restore.\1.\2"),
)

_OPENGVLAB: tuple[Rule, ...] = (
    Rename(r"vision_model\.embeddings\.class_embedding", f"{_OUR_TOWER}.embeddings.cls_token"),
    Rename(
        r"vision_model\.embeddings\.position_embedding",
        f"{_OUR_TOWER}.embeddings.position_embeddings",
    ),
    Rename(
        r"vision_model\.embeddings\.patch_embedding\.(weight|bias)",
        rf"{_OUR_TOWER}.embeddings.patch_embeddings.projection.\1",
    ),
    Rename(rf"{_BLOCK}\.ls([12])", rf"{_OUR_BLOCK}.lambda_\2"),
    SplitRows(rf"{_BLOCK}\.attn\.qkv\.(weight|bias)", rf"{_OUR_BLOCK}.attention.{{}}_proj.\2"),
    Rename(rf"{_BLOCK}\.attn\.proj\.(weight|bias)", rf"{_OUR_BLOCK}.attention.projection_layer.\2"),
    Rename(rf"{_BLOCK}\.mlp\.(fc[12])\.(weight|bias)", rf"{_OUR_BLOCK}.mlp.\2.\3"),
    Rename(rf"{_BLOCK}\.norm1\.(weight|bias)", rf"{_OUR_BLOCK}.layernorm_before.\2"),
    Rename(rf"{_BLOCK}\.norm2\.(weight|bias)", rf"{_OUR_BLOCK}.layernorm_after.\2"),
    Rename(r"mlp1\.0\.(weight|bias)", rf"{_OUR_PROJECTOR}.layer_norm.\1"),
    Rename(r"mlp1\.1\.(weight|bias)", rf"{_OUR_PROJECTOR}.linear_1.\1"),
    Rename(r"mlp1\.3\.(weight|bias)", rf"{_OUR_PROJECTOR}.linear_2.\1"),
)

_HF: tuple[Rule, ...] = (
    Rename(r"(?:model\.)?vision_tower\.(.+)", rf"{_OUR_TOWER}.\1"),
    Rename(r"(?:model\.)?multi_modal_projector\.(.+)", rf"{_OUR_PROJECTOR}.\1"),
    Rename(r"model\.language_model\.(.+)", rf"{_OUR_LANGUAGE}.\1"),
    Rename(r"lm_head\.weight", "internvl.lm_head.weight"),
)

SELF1E_RULES: tuple[Rule, ...] = (
    _RECOMPUTED,
    Rename(r"language_model\.model\.(.+)", rf"{_OUR_LANGUAGE}.\1"),  # the authors and older -hf
    Rename(r"language_model\.lm_head\.weight", "internvl.lm_head.weight"),
    *_REFILL,
    *_OPENGVLAB,
    *_HF,
)


def open_official_self1e(directory: Path) -> OfficialFolder:
    """Inspect an official folder; tensors are not read.

    Raises WeightsError for a damaged folder or another model's.
    """
    tensors = read_checkpoint(directory)
    return inspect_official(
        "self1e",
        directory,
        tensors,
        self1e_sizes(shapes_of(tensors), read_config(directory)),
        SELF1EConfig.from_dict,
        SELF1E,
        official_self1e_tokenizer(directory),
        lambda _: SELF1E_RULES,
    )


def official_self1e_tokenizer(directory: Path) -> Tokenizer:
    """The folder's tokenizer; ``[SEG]`` is added where it is missing, as the authors do."""
    rust = official_tokenizer(directory)
    if rust.token_to_id(SEG) is None:
        rust.add_tokens([AddedToken(SEG, special=False, normalized=False)])
    return Tokenizer(rust)


# Sizes ----------------------------------------------------------------------------------------

_LARGEST = 1 << 24
_EMBEDDINGS = r"(language_model\.model|model\.language_model)\.embed_tokens\.weight"
_LANGUAGES = {"qwen2forcausallm": "qwen2", "qwen3forcausallm": "qwen3"}
# Ours, theirs; both namings agree on these.
_VISION = {
    "vision_channels": "hidden_size",
    "vision_layers": "num_hidden_layers",
    "vision_heads": "num_attention_heads",
    "vision_feedforward": "intermediate_size",
    "patch_size": "patch_size",
}
_TEXT = {
    "language_channels": "hidden_size",
    "language_layers": "num_hidden_layers",
    "language_heads": "num_attention_heads",
    "language_kv_heads": "num_key_value_heads",
    "language_feedforward": "intermediate_size",
    "positions": "max_position_embeddings",
}


def self1e_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for a SELF1E configuration.

    shapes: of the official tensors. config: the official config.json. Raises WeightsError if they
    are not a SELF1E's, or one whose parts transformers does not have.
    """
    vision = _table(config, "vision_config")
    text = _table(config, "llm_config" if "llm_config" in config else "text_config")
    _check_parts(config, vision)
    sizes: dict[str, Any] = {ours: _number(vision, key) for ours, key in _VISION.items()}
    side = config.get("force_image_size") or vision.get("image_size")
    sizes["image_size"] = _number({"image_size": side}, "image_size")
    sizes |= {ours: _number(text, key) for ours, key in _TEXT.items()}
    sizes["language"] = _language(text)
    if "head_dim" in text:
        sizes["language_head_channels"] = _number(text, "head_dim")
    else:
        heads = sizes["language_heads"]
        sizes["language_head_channels"] = sizes["language_channels"] // heads
    sizes["rope_theta"] = float(_number({**text, **_rope(text)}, "rope_theta"))
    return sizes | {"vocabulary": _embedding_rows(shapes)}


def _check_parts(config: Mapping[str, Any], vision: Mapping[str, Any]) -> None:
    if config.get("ps_version", "v2") != "v2":
        raise WeightsError(
            f"config.json says ps_version {config['ps_version']!r}: image tokens are packed in"
            " another order than SELF1E's"
        )
    norm = vision.get("norm_type", "layer_norm")
    if norm != "layer_norm" or vision.get("qk_normalization") or vision.get("use_qk_norm"):
        raise WeightsError("config.json states a large InternViT; SELF1E's is the one of 300M")


def _language(text: Mapping[str, Any]) -> str:
    """The kind of language model, by architecture, or by type where none is stated."""
    named = text.get("architectures") or [f"{text.get('model_type')}ForCausalLM"]
    kind = str(named[0]) if isinstance(named, list) else str(named)
    if kind.lower() not in _LANGUAGES:
        raise WeightsError(
            f"its language model is {kind}, which transformers does not have; InternVL with Qwen2"
            " or Qwen3 can be read"
        )
    return _LANGUAGES[kind.lower()]


def _rope(text: Mapping[str, Any]) -> Mapping[str, Any]:
    """Newer files keep rope_theta in a table; scaling only matters beyond 32768 positions."""
    table = text.get("rope_parameters")
    return table if isinstance(table, dict) else {}


def _table(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = config.get(key)
    if not isinstance(table, dict):
        raise WeightsError(f"config.json has no table {key!r}: it is no InternVL's")
    return table


def _number(table: Mapping[str, Any], key: str) -> float:
    """A size; InternVL's -hf files give sides as [height, width]."""
    value: Any = table.get(key)
    if isinstance(value, list) and len(set(map(str, value))) == 1:
        value = value[0]
    if not (type(value) in (int, float) and 0 < value < _LARGEST):
        raise WeightsError(f"config.json says {key} is {str(value)[:40]!r}, which cannot be")
    number: float = value
    return number


def _embedding_rows(shapes: Shapes) -> int:
    rows = [shape[0] for name, shape in shapes.items() if re.fullmatch(_EMBEDDINGS, name) and shape]
    if len(rows) != 1:
        raise WeightsError(
            "no SELF1E checkpoint: it has no single tensor of token embeddings, as "
            "language_model.model.embed_tokens.weight"
        )
    return rows[0]


# Training from a plain InternVL ----------------------------------------------------------------

_OUR_HEAD, _OUR_EMBEDDINGS = (
    "internvl.lm_head.weight",
    "internvl.model.language_model.embed_tokens.weight",
)
_JITTER = 1e-5  # std of the noise on new rows


def init_from_internvl(directory: Path) -> tuple[SELF1E, Tokenizer, tuple[str, ...]]:
    """A SELF1E with the weights of an official folder, of InternVL or SELF1E, its tokenizer, and
    the names of the parts that keep random weights.

    New rows of the embedding and the output head start as the mean of all others. Raises
    WeightsError for a damaged folder or another model's."""
    theirs = read_checkpoint(directory)
    sizes = self1e_sizes(shapes_of(theirs), read_config(directory))
    tokenizer = official_self1e_tokenizer(directory)
    sizes["vocabulary"] = max(sizes["vocabulary"], len(tokenizer))
    model = SELF1E(SELF1EConfig.from_dict(sizes))
    ours: dict[str, Tensor] = {}
    for name, tensor in theirs.items():
        ours |= convert(SELF1E_RULES, name, tensor.float())
    if _OUR_HEAD not in ours and _OUR_EMBEDDINGS in ours:
        ours[_OUR_HEAD] = ours[_OUR_EMBEDDINGS]
    for name in {_OUR_HEAD, _OUR_EMBEDDINGS} & ours.keys():
        ours[name] = _add_embedding_rows(ours[name], sizes["vocabulary"])
    new = {n: t for n, t in model.state_dict().items() if n.startswith("refill.")}
    load_into(model, new | ours, directory)
    return model, tokenizer, part_names(new.keys() - ours.keys())


def _add_embedding_rows(table: Tensor, rows: int) -> Tensor:
    """(V, D) -> (rows, D)."""
    mean = table.mean(0, keepdim=True)
    new = mean + _JITTER * torch.randn(rows - len(table), table.shape[1])
    return torch.cat([table, new])
