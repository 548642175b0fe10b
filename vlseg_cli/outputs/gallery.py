"""``html/``: the pictures of the gallery, small enough that thousands can be scrolled through."""

import io
from collections.abc import Sequence

from PIL import Image

from vlseg_cli.outputs.folder import OutputFolder, StagedFiles, frame_file
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.schema import Frame, Item, Record

PICTURES = ("html", "pictures")
_SIDE = 480  # longest side, px
_QUALITY = 82


class GallerySink:
    """Writes a small JPEG of each image, and of the first frame of each part of a video."""

    def __init__(self, folder: OutputFolder) -> None:
        self._pictures = StagedFiles(folder)
        self._shown: tuple[str, int] | None = None  # item and part of the latest picture

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:
        """Draw the frame if it stands for its part."""
        if self._shown == (item.name, part):
            return
        self._shown = item.name, part
        picture = Image.fromarray(draw_overlay(frame, records))
        picture.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY)
        parts = frame_file(item.name, item.is_video, frame.index, ".jpg")
        self._pictures.write(buffer.getvalue(), *PICTURES, *parts)

    def end_part(self, item: Item, part: int) -> None:  # noqa: ARG002
        """Keep what was written."""
        self._shown = None
        self._pictures.keep()

    def end_item(self, item: Item, parts: int) -> None:
        """Nothing is left to do."""

    def forget_parts(self, item: Item) -> None:
        """Nothing was left behind."""

    def abandon(self) -> None:
        """Remove the picture of the current part."""
        self._shown = None
        self._pictures.remove()
