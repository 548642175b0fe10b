"""Pictures and tables as specimens write them."""

import io
import json
from typing import Any

from PIL import Image

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.worlds.scene import Scene


def write_jpeg(folder: OutputFolder, scene: Scene, *parts: str) -> None:
    """Write a scene's pixels as a JPEG file. Raises OutputError if it cannot be written."""
    buffer = io.BytesIO()
    Image.fromarray(scene.pixels).save(buffer, "JPEG", quality=95)
    folder.write(buffer.getvalue(), *parts)


def write_json(folder: OutputFolder, data: Any, *parts: str) -> None:
    """Write a JSON file. Raises OutputError if it cannot be written."""
    folder.write(json.dumps(data).encode(), *parts)
