"""Begin in the middle of a long video, where it is certain which frame that is and what it shows.

Packets number the frames, so nothing has to be decoded but from the last key frame that needs
none before it. Whatever leaves a doubt is decoded from the beginning instead.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vlseg_cli.media.container import open_video
from vlseg_cli.media.decoding import decoded
from vlseg_cli.media.limits import Limits
from vlseg_cli.media.packet_index import PacketIndex, index_packets, needs_nothing_before
from vlseg_cli.schema import Clip

_WORTHWHILE = 250  # frames to be spared
_WORTHWHILE_SECONDS = 5.0


class DoubtError(Exception):
    """The frames after a jump are not those that the packets promised."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Where to begin: at frame ``number``, by seeking to pts ``target``.

    first: pts of frame 0. inside: number of the first frame in the clip's time. times: pts of the
    frames from ``number`` to the first that is wanted, whose pts is ``target``.
    """

    number: int
    target: int
    first: int
    inside: int
    times: tuple[int, ...]


def find_jump(
    path: Path, clip: Clip, skip: int, limits: Limits, passed: Callable[[], None]
) -> Jump | None:
    """Where to begin for this clip and skip; None if that is the beginning, or in doubt.

    passed: called for each packet. Raises InputError if the file cannot be opened.
    """
    start = clip.start or 0.0
    if skip * clip.stride < _WORTHWHILE and start < _WORTHWHILE_SECONDS:
        return None
    with open_video(path, limits) as (container, stream):
        first = next(decoded(path, container, stream))
    if first.interlaced_frame:  # two packets may make one frame
        return None
    with open_video(path, limits) as (container, stream):
        base = stream.time_base
        assert base is not None  # every opened stream has one

        def places(index: PacketIndex) -> tuple[int, int]:
            """Numbers of the first frame in the clip's time, and of the first that is wanted."""
            inside = bisect_left(
                index.times, start, key=lambda pts: float((pts - index.times[0]) * base)
            )
            return inside, inside + skip * clip.stride

        def is_enough(index: PacketIndex, dts: int) -> bool:
            passed()
            _, wanted = places(index)
            return wanted < len(index.times) and index.times[wanted] <= dts

        index = index_packets(container, stream, is_enough)
        if index is None or index.times[0] != first.pts:
            return None
        inside, wanted = places(index)
        if wanted >= len(index.times):
            return None
        target = index.times[wanted]
        number = _landing(container, stream, target, index)
        if number < _WORTHWHILE:
            return None
        return Jump(number, target, first.pts, inside, tuple(index.times[number : wanted + 1]))


def _landing(
    container: InputContainer, stream: VideoStream, target: int, index: PacketIndex
) -> int:
    """Number of the key frame that a seek leads to; 0 if that is no place to begin at."""
    container.seek(target, stream=stream)
    packet = next(container.demux(stream))
    if packet.pts not in index.keys or not needs_nothing_before(packet, stream):
        return 0
    return bisect_left(index.times, packet.pts)


def jumped(
    path: Path, container: InputContainer, stream: VideoStream, jump: Jump
) -> Iterator[VideoFrame]:
    """Frames from ``jump.number`` on; raises DoubtError before the first that is wanted."""
    container.seek(jump.target, stream=stream)
    expected = chain(jump.times, repeat(None))
    for frame in decoded(path, container, stream, jump.number):
        pts = next(expected)
        if pts is not None and frame.pts != pts:
            raise DoubtError
        yield frame
