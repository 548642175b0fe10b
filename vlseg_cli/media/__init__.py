"""Sources: images, folders, globs, with colour, orientation and limits taken care of."""

from vlseg_cli.media.image import Limits, read_image
from vlseg_cli.media.mask import read_mask
from vlseg_cli.media.sources import find_inputs

__all__ = ["Limits", "find_inputs", "read_image", "read_mask"]
