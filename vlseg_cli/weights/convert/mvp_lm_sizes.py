"""The sizes of an MVP-LM, read off its tensors and its config.json as PSALM's are."""

from collections.abc import Mapping
from typing import Any

from vlseg_cli.weights.convert.coverage import Shapes
from vlseg_cli.weights.convert.psalm_sizes import CONNECTOR
from vlseg_cli.weights.convert.sizes import (
    LAYERS,
    MASK2FORMER,
    PHI,
    PHI_STATED,
    SizeReader,
    Witnesses,
    stated,
)

_PER_HEAD = 4 * 4  # levels times points of all deformable attention
_ENCODER = r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.self_attn"
_DECODER = r"predictor\.decoder\.layers\.\d+"

_SHARED = ("swin_window", "pixel_channels", "mask_channels", "pixel_feedforward")
_WITNESSES: Witnesses = {
    **{size: MASK2FORMER[size] for size in _SHARED},
    **CONNECTOR,
    **PHI,
    "pixel_heads": (
        (rf"{_ENCODER}\.sampling_offsets\.\w+", 0, lambda n: n // (_PER_HEAD * 2)),
        (rf"{_ENCODER}\.attention_weights\.\w+", 0, lambda n: n // _PER_HEAD),
    ),
    "decoder_heads": (
        (rf"{_DECODER}\.cross_attn\.sampling_offsets\.\w+", 0, lambda n: n // (_PER_HEAD * 2)),
        (rf"{_DECODER}\.cross_attn\.attention_weights\.\w+", 0, lambda n: n // _PER_HEAD),
    ),
    "decoder_feedforward": (
        (rf"{_DECODER}\.linear1\.\w+", 0, int),
        (rf"{_DECODER}\.linear2\.weight", 1, int),
    ),
    "stuff_queries": ((r"stuff_(query|embed)\.weight", 0, int),),
    "queries": ((r"(thing_query|thing_embed|predictor\.SEG_query_\w+)\.weight", 0, int),),
}
_LAYERS = {**LAYERS, "decoder_layers": r"predictor\.decoder\.layers\.(\d+)\..*"}


def mvp_lm_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for an MVP-LM configuration; what neither tensors nor config tell is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not an MVP-LM's.
    """
    reader = SizeReader("MVP-LM", shapes)
    return {
        **reader.told(_WITNESSES),
        **reader.counted(_LAYERS),
        **reader.swin(r"model\.vision_tower"),
        **stated(config, PHI_STATED),
    }
