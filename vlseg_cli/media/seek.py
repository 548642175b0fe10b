"""Seek to a frame: frames are counted from packets, which is far cheaper than decoding them.

Only in containers and for codecs in which one packet is one frame.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vlseg_cli.media.container import open_video
from vlseg_cli.media.decoding import decode_packets
from vlseg_cli.media.limits import Limits
from vlseg_cli.schema import FrameRange

_CONTAINERS = ("mov", "matroska")
_CODECS = ("h264", "hevc", "vp9", "av1", "prores", "ffv1", "mjpeg")


@dataclass(slots=True)
class PacketIndex:
    """Timestamps of frames in presentation order: the index in ``times`` is the frame's index.

    keys: timestamps of the container's key frames.
    """

    times: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)


def index_packets(
    container: InputContainer,
    stream: VideoStream,
    is_enough: Callable[[PacketIndex, int], bool] = lambda _index, _dts: False,
) -> PacketIndex | None:
    """Read the packets of a stream from its start; None if they do not determine the frames.

    is_enough: called with each packet's dts, stops if True; later packets have a pts of at least
    that.
    """
    name = stream.codec_context.codec.canonical_name
    if container.format.name.split(",")[0] not in _CONTAINERS or name not in _CODECS:
        return None
    index = PacketIndex()
    for packet in container.demux(stream):
        if not packet.size:
            continue  # the end
        if packet.pts is None or packet.is_corrupt or packet.is_discard:
            return None
        position = bisect_left(index.times, packet.pts)
        if position < len(index.times) and index.times[position] == packet.pts:
            return None
        insort(index.times, packet.pts)
        if packet.is_keyframe:
            index.keys.append(packet.pts)
        if packet.dts is not None and is_enough(index, packet.dts):
            break
    return index if index.times else None


def is_random_access_point(packet: "Packet[VideoStream]", stream: VideoStream) -> bool:
    """Whether decoding can start at a key frame's packet without any earlier frame.

    H.264 and HEVC also mark key frames from which a decoder only recovers after some frames.
    """
    name = stream.codec_context.name
    extra = stream.codec_context.extradata or b""
    if name == "h264" and len(extra) > 4 and extra[0] == 1:
        return _first_nal_type(bytes(packet), (extra[4] & 3) + 1, lambda head: head & 31, 1, 5) == 5
    if name == "hevc" and len(extra) > 21 and extra[0] == 1:
        kind = _first_nal_type(
            bytes(packet), (extra[21] & 3) + 1, lambda head: head >> 1 & 63, 0, 31
        )
        return 16 <= kind <= 21
    return packet.is_keyframe and name not in ("h264", "hevc")


def _first_nal_type(
    data: bytes, width: int, kind_of: Callable[[int], int], lowest: int, highest: int
) -> int:
    """Type of the first NAL unit whose type is in range; lengths have ``width`` bytes."""
    at = 0
    while at + width < len(data):
        kind = kind_of(data[at + width])
        if lowest <= kind <= highest:
            return kind
        at += width + int.from_bytes(data[at : at + width], "big")
    return -1


_MIN_SKIPPED_FRAMES = 250  # frames to be spared
_MIN_START_SECONDS = 5.0


class UncertainSeekError(Exception):
    """The frames after a seek are not those that the packets announced."""


@dataclass(frozen=True, slots=True)
class SeekPoint:
    """Decoding starts at frame ``number``, by seeking to timestamp ``target``.

    first: timestamp of frame 0. inside: index of the first frame in the clip's time. times:
    timestamps from ``number`` to the first selected frame, whose timestamp is ``target``.
    """

    number: int
    target: int
    first: int
    inside: int
    times: tuple[int, ...]


def find_seek_point(
    path: Path, clip: FrameRange, skip: int, limits: Limits, passed: Callable[[], None]
) -> SeekPoint | None:
    """Where to start for this clip and skip; None for the video's start, or if uncertain.

    passed: called for each packet. Raises InputError if the file cannot be opened.
    """
    start = clip.start or 0.0
    if skip * clip.stride < _MIN_SKIPPED_FRAMES and start < _MIN_START_SECONDS:
        return None
    with open_video(path, limits) as (container, stream):
        first = next(decode_packets(path, container, stream))
    if first.interlaced_frame:  # two packets may make one frame
        return None
    with open_video(path, limits) as (container, stream):
        base = stream.time_base
        assert base is not None  # every opened stream has one

        def places(index: PacketIndex) -> tuple[int, int]:
            """Indices of the first frame in the clip's time, and of the first selected one."""
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
        number = _seek_target_frame(container, stream, target, index)
        if number < _MIN_SKIPPED_FRAMES:
            return None
        return SeekPoint(number, target, first.pts, inside, tuple(index.times[number : wanted + 1]))


def _seek_target_frame(
    container: InputContainer, stream: VideoStream, target: int, index: PacketIndex
) -> int:
    """Index of the key frame that a seek leads to; 0 if decoding cannot start there."""
    container.seek(target, stream=stream)
    packet = next(container.demux(stream))
    if packet.pts not in index.keys or not is_random_access_point(packet, stream):
        return 0
    return bisect_left(index.times, packet.pts)


def frames_from_seek_point(
    path: Path, container: InputContainer, stream: VideoStream, start: SeekPoint
) -> Iterator[VideoFrame]:
    """Frames from ``start.number`` on; raises UncertainSeekError before the first selected one."""
    container.seek(start.target, stream=stream)
    expected = chain(start.times, repeat(None))
    for frame in decode_packets(path, container, stream, start.number):
        pts = next(expected)
        if pts is not None and frame.pts != pts:
            raise UncertainSeekError
        yield frame
