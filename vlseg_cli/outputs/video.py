"""``video/NAME.mp4``: predictions drawn over a video, with its source's timestamps and audio.

Each chunk of a video becomes a segment file that survives a kill; a complete video is joined from
them without encoding again. Images give no files.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from av.error import FFmpegError

from vlseg_cli.outputs.atomic import AtomicFile
from vlseg_cli.outputs.encoder import SegmentEncoder, StreamTiming, read_timing
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.outputs.remux import join_segments
from vlseg_cli.outputs.sink import Sink
from vlseg_cli.schema import Frame, Item, OutputError, Record


class VideoSink(Sink):
    """Encodes the frames of videos as they come."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._clock: tuple[str, StreamTiming] | None = None  # of the source at hand
        self._current: tuple[AtomicFile, SegmentEncoder] | None = None

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:
        """Draw and encode a frame of a video. Raises InputError if its source is gone."""
        if not item.is_video:
            return
        file, encoder = self._current or self._begin(item, part)
        with _writing(file, item):
            encoder.add(draw_overlay(frame, records), frame.time or 0.0)

    def end_chunk(self, item: Item, part: int) -> None:  # noqa: ARG002
        """Complete the segment."""
        if self._current is not None:
            (file, encoder), self._current = self._current, None
            with _writing(file, item):
                encoder.finish()
            file.commit()

    def end_item(self, item: Item, parts: int) -> None:
        """Join the segments; the last chunk may have no frame."""
        if not item.is_video:
            return
        segments = [self._folder.path(*self._segment(item, part)) for part in range(parts)]
        if not segments[-1].exists():
            segments.pop()
        if not segments:
            return
        for path in segments:
            if not path.exists():
                raise OutputError(f"{path} is gone: run the job again with --overwrite.")
        file = self._folder.begin("video", f"{item.name}.mp4")
        with _writing(file, item) as opened:
            join_segments(segments, item.source, opened)
        file.commit()

    def chunk_files(self, item: Item, part: int) -> Iterator[tuple[str, ...]]:
        """The segment, unless the chunk has no frame."""
        if self._folder.root.joinpath(*self._segment(item, part)).exists():
            yield self._segment(item, part)

    def remove_chunks(self, item: Item) -> None:
        """Remove the segments."""
        part = 0
        while self._folder.root.joinpath(*self._segment(item, part)).exists():
            self._folder.remove(*self._segment(item, part))
            part += 1
        for depth in (2, 1):  # empty folders
            with suppress(OSError):
                self._folder.root.joinpath(*self._segment(item, 0)[:depth]).rmdir()

    def abandon(self) -> None:
        """Drop the current segment."""
        if self._current is not None:
            (file, encoder), self._current = self._current, None
            encoder.drop()
            file.discard()

    def _segment(self, item: Item, part: int) -> tuple[str, ...]:
        return self._folder.hidden, "video", f"{item.number:06d}-{part}.nut"

    def _begin(self, item: Item, part: int) -> tuple[AtomicFile, SegmentEncoder]:
        if self._clock is None or self._clock[0] != item.source:
            self._clock = item.source, read_timing(item.source)
        file = self._folder.begin(*self._segment(item, part))
        with _writing(file, item) as opened:
            self._current = file, SegmentEncoder(opened, self._clock[1])
        return self._current


@contextmanager
def _writing(file: AtomicFile, item: Item) -> Iterator[BinaryIO]:
    """The open file; errors of libav become an OutputError."""
    try:
        with file.open_file() as opened:
            yield opened
    except FFmpegError as error:
        raise OutputError(
            f"No video can be made of {item.source} ({error.strerror}): leave video out of --save."
        ) from error
