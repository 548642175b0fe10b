"""A frame becomes network input: one square or several square tiles, normalized.

Source: SELF1E section 3. The aspect ratio is not kept and nothing is padded: a mask is resized
back. InternVL's own processor would cut tiles by default and add a thumbnail.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import get_optimal_tiled_canvas

from vlseg_cli.models.image_processing import MEAN, STD
from vlseg_cli.nn.residual_refill import TileLayout
from vlseg_cli.schema import Frame


def tile_layout(frame: Frame, size: int, most: int) -> TileLayout:
    """Rows and columns, at most ``most`` tiles, with the aspect ratio nearest to the frame's."""
    columns, rows = get_optimal_tiled_canvas((frame.height, frame.width), (size, size), 1, most)
    return rows, columns


def fit_tiles(frame: Frame, size: int, layout: TileLayout) -> NDArray[np.float32]:
    """A frame -> (T, 3, size, size) normalized, tile after tile, row by row."""
    rows, columns = layout
    image = Image.fromarray(frame.pixels)
    pixels = image.resize((columns * size, rows * size), Image.Resampling.BICUBIC)
    normalized = (np.asarray(pixels, np.float32) - MEAN) / STD
    tiles = normalized.reshape(rows, size, columns, size, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(tiles.reshape(-1, 3, size, size))
