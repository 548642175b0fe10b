"""Joins the segments of a video and the sound of its source to one MP4, packet by packet.

Nothing is encoded again: pictures and sound keep their bytes and their times. Sound that MP4 has no
place for is left out, and so is what was heard before or after a clip that was cut out.
"""

from collections.abc import Collection, Iterable, Sequence
from heapq import merge
from math import lcm
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from vlseg_cli.media.container import open_video
from vlseg_cli.media.limits import DEFAULT_LIMITS
from vlseg_cli.outputs.audio import audible_span, fitting_sound, sound_packets
from vlseg_cli.outputs.encoder import BIT_EXACT
from vlseg_cli.outputs.segments import open_segment, packets_of, shown_in

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
