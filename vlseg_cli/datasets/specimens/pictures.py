"""Pictures and tables as specimens write them."""

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.worlds.scene import Scene


def write_jpeg(folder: OutputFolder, scene: Scene, *parts: str) -> None:
    """Write a scene's pixels as a JPEG file. Raises OutputError if it cannot be written."""
    buffer = io.BytesIO()
    Image.fromarray(scene.pixels).save(buffer, "JPEG", quality=95)
    folder.write(buffer.getvalue(), *parts)


def write_png(folder: OutputFolder, pixels: NDArray[np.uint8 | np.uint16], *parts: str) -> None:
    """Write an array, (H, W) or (H, W, 3), as a PNG file. Raises OutputError."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    folder.write(buffer.getvalue(), *parts)


def write_json(folder: OutputFolder, data: Any, *parts: str) -> None:
    """Write a JSON file. Raises OutputError if it cannot be written."""
    folder.write(json.dumps(data).encode(), *parts)
