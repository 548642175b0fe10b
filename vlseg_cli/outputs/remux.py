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


class FrameTimes(NamedTuple):
    """Times of the first, the last but one and the last frame, s in the source's time."""

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


def video_packets(segments: Sequence[Path]) -> "Iterator[Packet[VideoStream]]":
    """All packets in order; where a source's timestamps decrease, they are one unit apart.

    Raises OutputError if the segments are of different encoders.
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


def frame_times(segments: Sequence[Path]) -> FrameTimes:
    """Times of the frames of some segments; a single frame is also the last but one."""
    first = next(_timestamps(segments[:1]))
    last_but_one = last = first
    for time in _timestamps(segments[-2:]):
        last_but_one, last = last, time
    return FrameTimes(first, last_but_one, last)


def _timestamps(segments: Sequence[Path]) -> Iterator[Fraction]:
    for packet in video_packets(segments):
        assert packet.pts is not None
        yield packet.pts * packet.time_base


class TimeSpan(NamedTuple):
    """Seconds in the source's time."""

    start: float
    end: float


def supported_audio(source: str) -> set[int]:
    """Indices of the audio streams that MP4 can hold, found by muxing a packet of each."""
    fitting: set[int] = set()
    with open_video(Path(source), DEFAULT_LIMITS) as (container, _), suppress(FFmpegError):
        untried = {stream.index: stream for stream in container.streams.audio}
        for packet in container.demux(*untried.values()) if untried else ():
            stream = untried.pop(packet.stream_index, None)
            if stream is not None and _is_supported(stream, packet):
                fitting.add(stream.index)
            if not untried:
                break
    return fitting


def audio_span(source: str, shown: FrameTimes) -> TimeSpan:
    """The time span of audio to keep, unbounded at an end where no frames were cut off.

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
    return TimeSpan(
        float(shown.first) if before else -inf, float(end) if after >= max(1, stride) else inf
    )


def audio_packets(
    container: InputContainer, streams: list[AudioStream], span: TimeSpan
) -> "Iterator[Packet[Stream]]":
    """The packets of some streams that overlap a span, as far as they are readable."""
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


def _is_supported(stream: AudioStream, packet: "Packet[Stream]") -> bool:
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as trial:
            packet.stream = trial.add_stream_from_template(stream)
            trial.mux_one(packet)
    except (FFmpegError, ValueError):
        return False
    return True


_LARGEST_TIMESCALE = (1 << 31) - 1
RoutedPacket = tuple["Packet[Any]", Stream]  # a packet, and the stream it goes to


def join_segments(segments: Sequence[Path], source: str, file: BinaryIO) -> None:
    """Write an MP4 to a seekable file. Raises InputError if the source is gone."""
    fitting = supported_audio(source)
    try:
        _join_streams(segments, source, fitting, file)
    except FFmpegError as error:
        if isinstance(error, OSError) or not fitting:
            raise
        file.seek(0)  # with damaged audio, write the video alone
        file.truncate()
        _join_streams(segments, source, set(), file)


def _join_streams(
    segments: Sequence[Path], source: str, fitting: Collection[int], file: BinaryIO
) -> None:
    with open_video(Path(source), DEFAULT_LIMITS) as (container, _):
        sound = [stream for stream in container.streams.audio if stream.index in fitting]
        with open_segment(segments[0]) as (_, template), _mp4(file, template, sound) as output:
            picture = _add_stream(output, template)
            packets: Iterable[RoutedPacket]
            packets = ((packet, picture) for packet in video_packets(segments))
            if sound:
                targets = {stream.index: _add_stream(output, stream) for stream in sound}
                span = audio_span(source, frame_times(segments))
                tones = audio_packets(container, sound, span)
                placed = ((packet, targets[packet.stream_index]) for packet in tones)
                packets = merge(packets, placed, key=_decoding_time)
            for packet, stream in packets:
                packet.stream = stream
                output.mux_one(packet)


def _mp4(file: BinaryIO, template: Stream, sound: Sequence[AudioStream]) -> OutputContainer:
    """An MP4 whose movie timescale is a multiple of all streams', so its edit lists are exact."""
    own, *others = (
        stream.time_base.denominator for stream in (template, *sound) if stream.time_base
    )
    exact = lcm(own, *others)
    options = BIT_EXACT | {"movie_timescale": str(exact if exact <= _LARGEST_TIMESCALE else own)}
    return av.open(file, "w", format="mp4", container_options=options)


def _add_stream(output: OutputContainer, template: Stream) -> Stream:
    stream = output.add_stream_from_template(template)
    stream.time_base = template.time_base
    language = template.metadata.get("language")
    if language:
        stream.metadata["language"] = language
    return stream


def _decoding_time(one: RoutedPacket) -> float:
    packet = one[0]
    assert packet.dts is not None
    return float(packet.dts * packet.time_base)
