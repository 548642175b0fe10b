"""Sinks write a format while frames are at hand, during a run or an export.

After a kill complete chunks are kept and the others written again, so ``end_chunk`` must leave its
files on disk, and equal calls must give equal bytes.
"""

from collections.abc import Iterator, Sequence

from vlseg_cli.outputs.atomic import AtomicFile
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

    def chunk_files(self, item: Item, part: int) -> Iterator[tuple[str, ...]]:  # noqa: ARG002
        """Files of a complete chunk that ``end_item`` needs; the journal gets their digests."""
        yield from ()

    def remove_chunks(self, item: Item) -> None:
        """The journal has the item: remove the files of its chunks."""

    def abandon(self) -> None:
        """The current chunk will not be completed: drop its files."""


class PictureSink(Sink):
    """Writes pictures, which get their names when their chunk is complete."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._written: list[AtomicFile] = []

    def save(self, picture: bytes, *parts: str) -> None:
        """Write a picture below the folder. Raises OutputError."""
        file = self._folder.begin(*parts)
        self._written.append(file)
        file.write(picture)
        file.sync()

    def end_chunk(self, item: Item, part: int) -> None:  # noqa: ARG002
        """Keep what was written."""
        for file in self._written:
            file.commit()
        self._written.clear()

    def abandon(self) -> None:
        """Remove what was written."""
        for file in self._written:
            file.discard()
        self._written.clear()
