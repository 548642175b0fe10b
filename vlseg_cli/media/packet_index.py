"""Number the frames of a video from its packets alone, which is far cheaper than decoding it.

Only where one packet is known to be one frame: in these containers, for these codecs.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

_CONTAINERS = ("mov", "matroska")
_CODECS = ("h264", "hevc", "vp9", "av1", "prores", "ffv1", "mjpeg")


@dataclass(slots=True)
class PacketIndex:
    """pts of frames in presentation order, so that a place in ``times`` is a frame's number.

    keys: pts of what the container calls key frames.
    """

    times: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)


def index_packets(
    container: InputContainer,
    stream: VideoStream,
    is_enough: Callable[[PacketIndex, int], bool] = lambda _index, _dts: False,
) -> PacketIndex | None:
    """Read the packets of a stream from the beginning; None where they do not tell the frames.

    is_enough: asked after each packet, with its dts, whether to stop; later packets have a pts of
    at least that.
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
        place = bisect_left(index.times, packet.pts)
        if place < len(index.times) and index.times[place] == packet.pts:
            return None
        insort(index.times, packet.pts)
        if packet.is_keyframe:
            index.keys.append(packet.pts)
        if packet.dts is not None and is_enough(index, packet.dts):
            break
    return index if index.times else None


def needs_nothing_before(packet: "Packet[VideoStream]", stream: VideoStream) -> bool:
    """Whether a key frame's packet empties the decoder's memory of earlier frames.

    H.264 and HEVC also call frames key frames from which a decoder only recovers in time.
    """
    name = stream.codec_context.name
    extra = stream.codec_context.extradata or b""
    if name == "h264" and len(extra) > 4 and extra[0] == 1:
        return _first_picture(bytes(packet), (extra[4] & 3) + 1, lambda head: head & 31, 1, 5) == 5
    if name == "hevc" and len(extra) > 21 and extra[0] == 1:
        kind = _first_picture(
            bytes(packet), (extra[21] & 3) + 1, lambda head: head >> 1 & 63, 0, 31
        )
        return 16 <= kind <= 21
    return packet.is_keyframe and name not in ("h264", "hevc")


def _first_picture(
    data: bytes, width: int, kind_of: Callable[[int], int], lowest: int, highest: int
) -> int:
    """Kind of the first unit whose kind is in range, in units behind lengths of ``width`` bytes."""
    at = 0
    while at + width < len(data):
        kind = kind_of(data[at + width])
        if lowest <= kind <= highest:
            return kind
        at += width + int.from_bytes(data[at : at + width], "big")
    return -1
