"""Joins the segment files of a video and the audio of its source to one MP4, packet by packet.

Nothing is encoded again: video and audio keep their packets and timestamps. Audio that MP4 cannot
hold is left out, and so is audio outside a clip that was cut out of its source.
"""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from heapq import merge
from math import inf, lcm
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vlseg_cli.media.container import open_video
from vlseg_cli.media.limits import DEFAULT_LIMITS
from vlseg_cli.outputs.encoder import BIT_EXACT
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


_LARGEST_TIMESCALE = (1 << 31) - 1
Placed = tuple["Packet[Any]", Stream]  # a packet, and the stream it goes to


def join(segments: Sequence[Path], source: str, file: BinaryIO) -> None:
    """Write an MP4 to a seekable file. Raises InputError if the source is gone."""
    fitting = fitting_sound(source)
    try:
        _join(segments, source, fitting, file)
    except FFmpegError as error:
        if isinstance(error, OSError) or not fitting:
            raise
        file.seek(0)  # damaged sound is no reason to have no video
        file.truncate()
        _join(segments, source, set(), file)


def _join(segments: Sequence[Path], source: str, fitting: Collection[int], file: BinaryIO) -> None:
    with open_video(Path(source), DEFAULT_LIMITS) as (container, _):
        sound = [stream for stream in container.streams.audio if stream.index in fitting]
        with open_segment(segments[0]) as (_, template), _mp4(file, template, sound) as output:
            picture = _added(output, template)
            packets: Iterable[Placed]
            packets = ((packet, picture) for packet in packets_of(segments))
            if sound:
                targets = {stream.index: _added(output, stream) for stream in sound}
                span = audible_span(source, shown_in(segments))
                tones = sound_packets(container, sound, span)
                placed = ((packet, targets[packet.stream_index]) for packet in tones)
                packets = merge(packets, placed, key=_decoded_at)
            for packet, stream in packets:
                packet.stream = stream
                output.mux_one(packet)


def _mp4(file: BinaryIO, template: Stream, sound: Sequence[AudioStream]) -> OutputContainer:
    """An MP4 whose overall clock has a tick wherever a stream begins: its edit lists are exact."""
    own, *others = (
        stream.time_base.denominator for stream in (template, *sound) if stream.time_base
    )
    exact = lcm(own, *others)
    options = BIT_EXACT | {"movie_timescale": str(exact if exact <= _LARGEST_TIMESCALE else own)}
    return av.open(file, "w", format="mp4", container_options=options)


def _added(output: OutputContainer, template: Stream) -> Stream:
    stream = output.add_stream_from_template(template)
    stream.time_base = template.time_base
    language = template.metadata.get("language")
    if language:
        stream.metadata["language"] = language
    return stream


def _decoded_at(one: Placed) -> float:
    packet = one[0]
    assert packet.dts is not None
    return float(packet.dts * packet.time_base)
