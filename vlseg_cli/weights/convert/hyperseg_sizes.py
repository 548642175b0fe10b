"""The sizes of a HyperSeg checkpoint."""

from collections.abc import Mapping
from typing import Any

from vlseg_cli.weights.convert.coverage import Shapes
from vlseg_cli.weights.convert.sizes import (
    LAYERS,
    MASK2FORMER,
    PHI,
    PHI_STATED,
    SizeReader,
    Witnesses,
    stated,
)

_SIGLIP = r"model\.vision_tower\.vision_model"
_PERCEIVER = r"mgvp_layers\.layers\.\d"
_FINE_HEADS = 8  # no tensor tells how the perceiver's inner channels are shared among heads

_EYES: Witnesses = {
    "clip_channels": ((rf"{_SIGLIP}\.encoder\.layers\.\d+\.layer_norm[12]\.\w+", 0, int),),
    "clip_feedforward": ((rf"{_SIGLIP}\.encoder\.layers\.\d+\.mlp\.fc1\.\w+", 0, int),),
    "clip_patch": ((rf"{_SIGLIP}\.embeddings\.patch_embedding\.weight", 2, int),),
    "fine_tokens": ((r"temporal_query", 0, int),),
    "fine_channels": (
        (rf"{_PERCEIVER}\.0\.norm_(media|latents)\.\w+", 0, int),
        (r"mgvp_layers\.norm\.\w+", 0, int),
        (r"temporal_query", 1, int),
    ),
    "fine_inner": ((rf"{_PERCEIVER}\.0\.to_q\.weight", 0, int),),
    "head_rows": ((r"lm_head\.weight", 0, int),),
}
# A picture's last pixels may make no whole patch, so the number of patches does not tell its size.
_SIGLIP_STATED = {"clip_heads": "num_attention_heads", "clip_size": "image_size"}


def hyperseg_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for a HyperSeg configuration; what neither tensors nor config tell is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not a HyperSeg's.
    """
    reader = SizeReader("HyperSeg", shapes)
    sizes = {
        **reader.told(MASK2FORMER),
        **reader.told(PHI),
        **reader.told(_EYES),
        **reader.counted(LAYERS),
        **reader.swin(r"model\.vision_tower_mask"),
        **stated(config, PHI_STATED),
        **stated(_tower(config), _SIGLIP_STATED),
    }
    layers = reader.count(rf"{_SIGLIP}\.encoder\.layers\.(\d+)\..*")
    return sizes | {
        "clip_layers": layers - 1,  # what the last one makes is not used
        "fine_heads": _FINE_HEADS,
        "fine_head_channels": sizes.pop("fine_inner") // _FINE_HEADS,
    }


def _tower(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What config.json says of SigLIP: vision_config.vision_tower, or nothing."""
    vision = config.get("vision_config")
    tower = vision.get("vision_tower") if isinstance(vision, dict) else None
    return tower if isinstance(tower, dict) else {}
