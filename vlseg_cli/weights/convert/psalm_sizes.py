"""The sizes of a PSALM checkpoint."""

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

CONNECTOR: Witnesses = {
    "connector_width": ((r"model\.mm_projector\.layer1\.0\.(bn[12]|downsample\.1)\.\w+", 0, int),),
}


def psalm_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for a PSALM configuration; what neither tensors nor config tell is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not a PSALM's.
    """
    reader = SizeReader("PSALM", shapes)
    return {
        **reader.told(MASK2FORMER),
        **reader.told(CONNECTOR),
        **reader.told(PHI),
        **reader.counted(LAYERS),
        **reader.swin(r"model\.vision_tower"),
        **stated(config, PHI_STATED),
    }
