"""The sizes of an LLM-Seg, read off its tensors, and those of a SAM, within it or alone.

Several tensors tell each size and the majority is believed, so that a wrong tensor is named by the
shape check. Numbers of heads leave no trace in most shapes: they are the published ones.
"""

from collections.abc import Mapping
from typing import Any

from vlseg_cli.models.proposals.conversion import count_layers, sam_sizes, voted_size
from vlseg_cli.weights.conversion.coverage import Shapes

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
        size: voted_size(size, sources, shapes) for size, sources in _LLM_SEG.items()
    }
    sizes |= {size: count_layers(pattern, shapes) for size, pattern in _COUNTED.items()}
    places = rf"{_CLIP}embeddings\.position_embedding\.weight"
    cells = voted_size("clip_image", ((places, 0),), shapes) - 1
    sizes["clip_image"] = round(cells**0.5) * sizes["clip_patch"]
    cells = voted_size("dino_native", ((rf"{_DINO}pos_embed", 1),), shapes) - 1
    sizes["dino_native"] = round(cells**0.5) * sizes["dino_patch"]
    sam = sam_sizes(shapes, "model.visual_model.")
    return sizes | {f"sam_{size}": value for size, value in sam.items()}
