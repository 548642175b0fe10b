"""Sinks write a format while frames are at hand, during a run or an export.

After a kill complete chunks are kept and the others written again, so ``end_chunk`` must leave its
files on disk, and equal calls must give equal bytes.
"""

from collections.abc import Sequence

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Frame, Item, Record


class Sink:
    """Receives the frames of a chunk, then ``end_chunk``, …, then ``end_item``; here to no effect.

    An image is one chunk of one frame; a video's chunk has a fixed number of frames.
    """

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:
        """Add one frame and all its records."""

    def end_chunk(self, item: Item, part: int) -> None:
        """Chunk ``part`` (from 0) of an item is complete."""

    def end_item(self, item: Item, parts: int) -> None:
        """An item with this many chunks is complete; files of chunks are joined.

        They are kept: the run may be killed before the journal has the item.
        """

    def remove_chunks(self, item: Item) -> None:
        """The journal has the item: remove the files of its chunks."""

    def abandon(self) -> None:
        """The current chunk will not be completed: drop its files."""


class PictureSink(Sink):
    """Writes pictures, and removes those of the current chunk if it is abandoned."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._written: list[tuple[str, ...]] = []

    def save(self, picture: bytes, *parts: str) -> None:
        """Write a picture below the folder, atomically."""
        self._written.append(parts)
        self._folder.write(picture, *parts)

    def end_chunk(self, item: Item, part: int) -> None:  # noqa: ARG002
        """Keep what was written."""
        self._written.clear()

    def abandon(self) -> None:
        """Remove what was written."""
        for parts in self._written:
            self._folder.remove(*parts)
        self._written.clear()
