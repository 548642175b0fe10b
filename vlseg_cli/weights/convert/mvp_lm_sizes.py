"""The sizes of an MVP-LM, read off its tensors and its config.json as PSALM's are."""

from collections.abc import Mapping
from typing import Any

from vlseg_cli.weights.convert.coverage import Shapes
from vlseg_cli.weights.convert.psalm_sizes import SHARED, Witness, read_sizes

_PER_HEAD = 4 * 4  # levels times points of all deformable attention
_ENCODER = r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.self_attn"
_DECODER = r"predictor\.decoder\.layers\.\d+"

_WITNESSES: dict[str, tuple[Witness, ...]] = {
    **SHARED,
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
_COUNTED = {
    "pixel_layers": r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\..*",
    "language_layers": r"model\.layers\.(\d+)\..*",
    "decoder_layers": r"predictor\.decoder\.layers\.(\d+)\..*",
}


def mvp_lm_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for an MVP-LM configuration; what neither tensors nor config tell is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not an MVP-LM's.
    """
    return read_sizes("MVP-LM", _WITNESSES, _COUNTED, shapes, config)
