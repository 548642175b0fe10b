"""The segment files of one video, read as if they were one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vlseg_cli.schema import OutputError


class ShownFrames(NamedTuple):
    """When the first frame, the last but one and the last are shown, s in the source's own time."""

    first: Fraction
    last_but_one: Fraction
    last: Fraction


@contextmanager
def open_segment(segment: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A segment and its stream. Raises OutputError if the file is damaged."""
    try:
        container = av.open(str(segment), format="nut")
    except av.FFmpegError as error:
        raise OutputError(f"{segment} is damaged: run the job again with --overwrite.") from error
    with container:
        yield container, container.streams.video[0]


def packets_of(segments: Sequence[Path]) -> "Iterator[Packet[VideoStream]]":
    """All packets in order; where a source jumps back in time, they come a tick apart.

    Raises OutputError if the segments do not belong together.
    """
    last: int | None = None
    header: bytes | None = None
    for path in segments:
        with open_segment(path) as (container, stream):
            own = stream.codec_context.extradata
            if header not in (None, own):
                raise OutputError(
                    f"{path} was made by another encoder than the segments before it: run the job"
                    " again with --overwrite."
                )
            header = own
            for packet in container.demux(stream):
                if packet.pts is not None:
                    last = packet.pts if last is None else max(packet.pts, last + 1)
                    packet.pts = packet.dts = last
                    yield packet


def shown_in(segments: Sequence[Path]) -> ShownFrames:
    """When the frames of some segments are shown; a single one is its own last but one."""
    first = next(_times(segments[:1]))
    last_but_one = last = first
    for time in _times(segments[-2:]):
        last_but_one, last = last, time
    return ShownFrames(first, last_but_one, last)


def _times(segments: Sequence[Path]) -> Iterator[Fraction]:
    for packet in packets_of(segments):
        assert packet.pts is not None
        yield packet.pts * packet.time_base
