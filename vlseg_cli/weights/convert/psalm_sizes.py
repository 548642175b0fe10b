"""The sizes of a PSALM, read off its tensors and its config.json, never assumed.

Several tensors tell each size and the majority is believed, so that a wrong tensor is named by the
shape check instead of being taken for the measure of all others.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import Shapes

_LARGEST = 1 << 20
_LEVELS, _POINTS = 3, 4  # of the pixel decoder's attention; a point has two coordinates


def _window(rows: int) -> int:
    """Side of the window that a table of (2w-1)² relative positions belongs to."""
    return (math.isqrt(rows) + 1) // 2


# Size -> what tells it: names, axis, and how the size follows from the length of the axis.
Witness = tuple[str, int, Callable[[int], int]]
# The first half stands in every system that is built on PSALM's code.
SHARED: dict[str, tuple[Witness, ...]] = {
    "swin_embed": (
        (r"model\.vision_tower\.patch_embed\.(proj|norm)\.(weight|bias)", 0, int),
        (r"model\.vision_tower\.(norm0|layers\.0\.blocks\.\d+\.norm[12])\.\w+", 0, int),
    ),
    "swin_window": ((r".*\.relative_position_bias_table", 0, _window),),
    "connector_width": ((r"model\.mm_projector\.layer1\.0\.(bn[12]|downsample\.1)\.\w+", 0, int),),
    "pixel_channels": (
        (r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.norm[12]\.\w+", 0, int),
        (r"predictor\.decoder_norm\.\w+", 0, int),
        (r"predictor\.transformer_\w+_layers\.\d+\.norm\.\w+", 0, int),
    ),
    "mask_channels": (
        (r"pixel_decoder\.mask_features\.\w+", 0, int),
        (r"predictor\.mask_embed\.layers\.2\.\w+", 0, int),
    ),
    "pixel_feedforward": (
        (r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.linear1\.\w+", 0, int),
        (r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.linear2\.weight", 1, int),
    ),
    "language_channels": ((r"model\.(layers\.\d+\.input_layernorm|final_layernorm)\.\w+", 0, int),),
    "language_feedforward": (
        (r"model\.layers\.\d+\.mlp\.fc1\.\w+", 0, int),
        (r"model\.layers\.\d+\.mlp\.fc2\.weight", 1, int),
    ),
    "vocabulary": ((r"model\.embed_tokens\.weight", 0, int),),
}
_WITNESSES: dict[str, tuple[Witness, ...]] = {
    **SHARED,
    "pixel_heads": (
        (r".*\.sampling_offsets\.\w+", 0, lambda n: n // (_LEVELS * _POINTS * 2)),
        (r".*\.attention_weights\.\w+", 0, lambda n: n // (_LEVELS * _POINTS)),
    ),
    "queries": (
        (r"seg_query", 0, int),
        (r"predictor\.query_(embed|feat)\.weight", 0, int),
    ),
    "decoder_feedforward": (
        (r"predictor\.transformer_ffn_layers\.\d+\.linear1\.\w+", 0, int),
        (r"predictor\.transformer_ffn_layers\.\d+\.linear2\.weight", 1, int),
    ),
}
_COUNTED = {
    "pixel_layers": r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\..*",
    "language_layers": r"model\.layers\.(\d+)\..*",
    "decoder_layers": r"predictor\.transformer_ffn_layers\.(\d+)\..*",
}
# What no tensor tells, and under which key of config.json it stands.
_STATED = {
    "language_heads": "num_attention_heads",
    "positions": "max_position_embeddings",
    "rotary_factor": "partial_rotary_factor",
}


def psalm_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for a PSALM configuration; what neither tensors nor config tell is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not a PSALM's.
    """
    return read_sizes("PSALM", _WITNESSES, _COUNTED, shapes, config)


def read_sizes(
    system: str,
    witnesses: Mapping[str, tuple[Witness, ...]],
    counted: Mapping[str, str],
    shapes: Shapes,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """Sizes by what tells them, layers by their number, Swin and Phi as in every such system.

    Raises WeightsError if the tensors are not of ``system``.
    """
    sizes: dict[str, Any] = {
        key: _majority(_votes(who, shapes), key, system) for key, who in witnesses.items()
    }
    sizes |= {key: _count(pattern, shapes) for key, pattern in counted.items()}
    stages = range(4)
    table = r"model\.vision_tower\.layers\.{}\.blocks\.(\d+)\..*"
    sizes["swin_depths"] = [_count(table.format(stage), shapes) for stage in stages]
    sizes["swin_heads"] = [_heads(stage, shapes, system) for stage in stages]
    return sizes | {ours: _stated(config, key) for ours, key in _STATED.items() if key in config}


def _stated(config: Mapping[str, Any], key: str) -> float:
    value = config[key]
    if not (type(value) in (int, float) and 0 < value < _LARGEST):
        raise WeightsError(f"config.json says {key} is {str(value)[:40]!r}, which cannot be")
    number: float = value
    return number


def _votes(witnesses: tuple[Witness, ...], shapes: Shapes) -> Counter[int]:
    return Counter(
        follows(shape[axis])
        for pattern, axis, follows in witnesses
        for name, shape in shapes.items()
        if re.fullmatch(pattern, name) and len(shape) > axis
    )


def _heads(stage: int, shapes: Shapes, system: str) -> int:
    name = rf"model\.vision_tower\.layers\.{stage}\..*\.relative_position_bias_table"
    votes = Counter(s[1] for n, s in shapes.items() if re.fullmatch(name, n) and len(s) == 2)
    return _majority(votes, f"heads of Swin's stage {stage}", system)


def _majority(votes: Counter[int], size: str, system: str) -> int:
    if not votes:
        raise WeightsError(f"no {system} checkpoint: it has no tensor that tells {size}")
    return votes.most_common(1)[0][0]


def _count(pattern: str, shapes: Shapes) -> int:
    """How many layers there are; one may lack all its tensors, but most are there."""
    found = {int(match[1]) for name in shapes if (match := re.fullmatch(pattern, name))}
    return max((layer for layer in found if layer < 2 * len(found)), default=-1) + 1
