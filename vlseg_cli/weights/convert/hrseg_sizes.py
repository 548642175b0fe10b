"""The sizes of an LLM-Seg, read off its tensors, and those of a SAM, within it or alone.

Several tensors tell each size and the majority is believed, so that a wrong tensor is named by the
shape check. Numbers of heads leave no trace in most shapes: they are the published ones.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import Shapes
from vlseg_cli.weights.convert.sizes import shown

# Size -> what tells it: a pattern of names and an axis.
_Witnesses = Mapping[str, tuple[tuple[str, int], ...]]

_CLIP = r"model\.vision_tower\.vision_tower\.vision_model\."
_DINO = r"model\.visual_model_dinov2\."
_FUSION = r"model\.lisa_attention_layers\.\d+\."

_LLM_SEG: _Witnesses = {
    "dino_width": ((rf"{_DINO}(norm|blocks\.\d+\.(norm|ls)[12])\.\w+", 0),),
    "dino_patch": ((rf"{_DINO}patch_embed\.proj\.weight", 3),),
    "channels": ((rf"{_FUSION}norm\d\.\w+", 0), (r"model\.lisa_norm_final_attn\.\w+", 0)),
    "clip_patch": ((rf"{_CLIP}embeddings\.patch_embedding\.weight", 3),),
    "clip_width": ((rf"{_CLIP}(\w+_)?layernorm\.\w+", 0), (rf"{_CLIP}.*layer_norm[12]\.\w+", 0)),
    "clip_feedforward": ((rf"{_CLIP}.*\.mlp\.fc1\.\w+", 0), (rf"{_CLIP}.*\.mlp\.fc2\.weight", 1)),
    "language_channels": ((r"model\.(norm|layers\.\d+\.\w+_layernorm)\.weight", 0),),
    "language_feedforward": (
        (r"model\.layers\.\d+\.mlp\.(gate|up)_proj\.weight", 0),
        (r"model\.layers\.\d+\.mlp\.down_proj\.weight", 1),
    ),
    "vocabulary": ((r"model\.embed_tokens\.weight", 0), (r"lm_head\.weight", 0)),
    "fusion_feedforward": ((rf"{_FUSION}mlp\.lin1\.\w+", 0), (rf"{_FUSION}mlp\.lin2\.weight", 1)),
    "embedding_head": ((r"model\.lisa_embedding_head\.0\.\w+", 0),),
    "iop_head": ((r"model\.lisa_iou_head\.0\.\w+", 0),),
}
_COUNTED = {
    "dino_layers": rf"{_DINO}blocks\.(\d+)\..*",
    "clip_layers": rf"{_CLIP}encoder\.layers\.(\d+)\..*",
    "language_layers": r"model\.layers\.(\d+)\..*",
    "fusion_layers": r"model\.lisa_attention_layers\.(\d+)\..*",
}


def llm_seg_sizes(shapes: Shapes) -> dict[str, Any]:
    """Sizes for an HRSeg configuration; what no tensor tells is left out.

    shapes: of the tensors without PEFT's prefix. Raises WeightsError if they are no LLM-Seg's.
    """
    sizes: dict[str, Any] = {
        size: _told(size, witnesses, shapes) for size, witnesses in _LLM_SEG.items()
    }
    sizes |= {size: _count(pattern, shapes) for size, pattern in _COUNTED.items()}
    places = rf"{_CLIP}embeddings\.position_embedding\.weight"
    cells = _told("clip_image", ((places, 0),), shapes) - 1
    sizes["clip_image"] = round(cells**0.5) * sizes["clip_patch"]
    cells = _told("dino_native", ((rf"{_DINO}pos_embed", 1),), shapes) - 1
    sizes["dino_native"] = round(cells**0.5) * sizes["dino_patch"]
    sam = sam_sizes(shapes, "model.visual_model.")
    return sizes | {f"sam_{size}": value for size, value in sam.items()}


def sam_sizes(shapes: Shapes, before: str = "") -> dict[str, Any]:
    """Sizes of a SAM as ``nn.sam.SAMSizes`` names them; those of its decoder's heads left out.

    before: what stands before the names. Raises WeightsError if they are no SAM's.
    """
    encoder = rf"{re.escape(before)}image_encoder\."
    decoder = rf"{re.escape(before)}mask_decoder\."
    width = _told("width", ((rf"{encoder}blocks\.\d+\.norm[12]\.\w+", 0),), shapes)
    patch = _told("patch", ((rf"{encoder}patch_embed\.proj\.weight", 3),), shapes)
    grid = _told("image", ((rf"{encoder}pos_embed", 1), (rf"{encoder}pos_embed", 2)), shapes)
    table = rf"{encoder}blocks\.(\d+)\.attn\.rel_pos_h"
    reach = {
        int(match[1]): (shape[0] + 1) // 2
        for name, shape in shapes.items()
        if (match := re.fullmatch(table, name))
    }
    local = [cells for cells in reach.values() if cells != grid]
    return {
        "image": grid * patch,
        "patch": patch,
        "width": width,
        "layers": _count(rf"{encoder}blocks\.(\d+)\..*", shapes),
        "heads": width // max(1, _told("heads", ((table, 1),), shapes)),
        "window": max(local, default=grid),
        "global": [layer for layer, cells in sorted(reach.items()) if cells == grid],
        "channels": _told("channels", ((rf"{encoder}neck\.\d\.\w+", 0),), shapes),
        "decoder_feedforward": _told(
            "decoder_feedforward", ((rf"{decoder}transformer\..*\.mlp\.lin1\.\w+", 0),), shapes
        ),
    }


def _told(size: str, witnesses: tuple[tuple[str, int], ...], shapes: Shapes) -> int:
    votes = Counter(
        shape[axis]
        for pattern, axis in witnesses
        for name, shape in shapes.items()
        if re.fullmatch(pattern, name) and len(shape) > axis
    )
    if not votes:
        raise WeightsError(
            f"no LLM-Seg or SAM checkpoint: it lacks {shown(witnesses[0][0])}, which tells {size}"
        )
    return votes.most_common(1)[0][0]


def _count(pattern: str, shapes: Shapes) -> int:
    """How many layers there are; one may lack all its tensors, but most are there."""
    found = {int(match[1]) for name in shapes if (match := re.fullmatch(pattern, name))}
    return max((layer for layer in found if layer < 2 * len(found)), default=-1) + 1
