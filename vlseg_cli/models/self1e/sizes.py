"""The sizes of a SELF1E, read off its config.json and its tensors, never assumed.

InternVL's own files say ``llm_config``, those of its ``-hf`` repositories ``text_config``. How many
rows the embedding has, which the authors' versions differ in, its tensor alone tells.
"""

import re
from collections.abc import Mapping
from typing import Any

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import Shapes

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
    sizes["image_size"] = _number({**vision, "image_size": _side(config, vision)}, "image_size")
    sizes |= {ours: _number(text, key) for ours, key in _TEXT.items()}
    sizes["language"] = _language(text)
    if "head_dim" in text:
        sizes["language_head_channels"] = _number(text, "head_dim")
    else:
        heads = sizes["language_heads"]
        sizes["language_head_channels"] = sizes["language_channels"] // heads
    sizes["rope_theta"] = float(_number({**text, **_rope(text)}, "rope_theta"))
    return sizes | {"vocabulary": _rows(shapes)}


def _check_parts(config: Mapping[str, Any], vision: Mapping[str, Any]) -> None:
    if config.get("ps_version", "v2") != "v2":
        raise WeightsError(
            f"config.json says ps_version {config['ps_version']!r}: image tokens are packed in"
            " another order than SELF1E's"
        )
    norm = vision.get("norm_type", "layer_norm")
    if norm != "layer_norm" or vision.get("qk_normalization") or vision.get("use_qk_norm"):
        raise WeightsError("config.json tells of a large InternViT; SELF1E's is the one of 300M")


def _language(text: Mapping[str, Any]) -> str:
    """Which language model it is: by architecture, or by type where none is named."""
    named = text.get("architectures") or [f"{text.get('model_type')}ForCausalLM"]
    kind = str(named[0]) if isinstance(named, list) else str(named)
    if kind.lower() not in _LANGUAGES:
        raise WeightsError(
            f"its language model is {kind}, which transformers does not have; InternVL with Qwen2"
            " or Qwen3 can be read"
        )
    return _LANGUAGES[kind.lower()]


def _side(config: Mapping[str, Any], vision: Mapping[str, Any]) -> Any:
    return config.get("force_image_size") or vision.get("image_size")


def _rope(text: Mapping[str, Any]) -> Mapping[str, Any]:
    """Newer files have the base of the rotation in a table; scaling only matters beyond 32768."""
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


def _rows(shapes: Shapes) -> int:
    rows = [shape[0] for name, shape in shapes.items() if re.fullmatch(_EMBEDDINGS, name) and shape]
    if len(rows) != 1:
        raise WeightsError(
            "no SELF1E checkpoint: it has no one tensor of word embeddings, as "
            "language_model.model.embed_tokens.weight"
        )
    return rows[0]
