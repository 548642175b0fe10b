"""The sound of a video, as packets that an MP4 can take as they are."""

import io
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from vlseg_cli.media.container import open_video
from vlseg_cli.media.limits import DEFAULT_LIMITS
from vlseg_cli.outputs.segments import ShownFrames


class Span(NamedTuple):
    """Seconds of the source's own time."""

    start: float
    end: float


def fitting_sound(source: str) -> set[int]:
    """Numbers of the audio streams that MP4 takes, found by trying: the lists promise too much."""
    fitting: set[int] = set()
    with open_video(Path(source), DEFAULT_LIMITS) as (container, _), suppress(FFmpegError):
        untried = {stream.index: stream for stream in container.streams.audio}
        for packet in container.demux(*untried.values()) if untried else ():
            stream = untried.pop(packet.stream_index, None)
            if stream is not None and _fits(stream, packet):
                fitting.add(stream.index)
            if not untried:
                break
    return fitting


def audible_span(source: str, shown: ShownFrames) -> Span:
    """When sound is kept: without bounds where nothing was cut off the pictures at that end.

    A stride leaves up to ``stride - 1`` frames after the last; more of them mean a cut.
    """
    before, after, stride = False, 0, 0
    with open_video(Path(source), DEFAULT_LIMITS) as (container, stream), suppress(FFmpegError):
        for packet in container.demux(stream):
            if packet.pts is None or packet.is_discard:
                continue
            time = packet.pts * packet.time_base
            before |= time < shown.first
            after += time > shown.last
            stride += shown.last_but_one < time <= shown.last
    end = 2 * shown.last - shown.last_but_one
    return Span(
        float(shown.first) if before else -inf, float(end) if after >= max(1, stride) else inf
    )


def sound_packets(
    container: InputContainer, streams: list[AudioStream], span: Span
) -> "Iterator[Packet[Stream]]":
    """The packets of some streams that can be heard in a span, as far as they are readable."""
    last: dict[int, int] = {}
    with suppress(FFmpegError):
        for packet in container.demux(*streams):
            index, dts = packet.stream_index, packet.dts
            if dts is None or not packet.size or dts <= last.get(index, dts - 1):
                continue  # the end of the stream, or damage that no MP4 can hold
            begin = dts * packet.time_base
            end = begin + (packet.duration or 0) * packet.time_base
            if begin < span.end and end > span.start:
                last[index] = dts
                yield packet


def _fits(stream: AudioStream, packet: "Packet[Stream]") -> bool:
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as trial:
            packet.stream = trial.add_stream_from_template(stream)
            trial.mux_one(packet)
    except (FFmpegError, ValueError):
        return False
    return True
