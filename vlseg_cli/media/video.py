"""Stream the frames of a video: exact numbers and times, upright pixels, constant memory."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vlseg_cli.media.container import open_video
from vlseg_cli.media.decoding import FrameConverter, decode_packets
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits, check_size
from vlseg_cli.media.seek import (
    SeekPoint,
    UncertainSeekError,
    find_seek_point,
    frames_from_seek_point,
)
from vlseg_cli.schema import Frame, FrameRange

_USUAL_RATE = 25  # frames per second, if neither timestamps nor the header give them


def read_video(
    path: Path,
    clip: FrameRange,
    skip: int = 0,
    limits: Limits = DEFAULT_LIMITS,
    passed: Callable[[], None] = lambda: None,
) -> Iterator[Frame]:
    """Yield the selected frames in presentation order, upright, as RGB on white.

    Frame.index counts the decoded frames of the source from 0 (also with a stride); Frame.time is
    (pts - first pts) * time base. skip: number of selected frames to leave out. passed: called for
    every decoded frame. Pixels are the stored ones, also where they are not square. Raises
    InputError if the file cannot be opened, and after the last intact frame if it is damaged or
    truncated.
    """
    seek_point = find_seek_point(path, clip, skip, limits, passed)
    try:
        yield from _selected(path, clip, skip, limits, passed, seek_point)
    except UncertainSeekError:  # comes before the first frame, or not at all
        yield from _selected(path, clip, skip, limits, passed, None)


def _selected(
    path: Path,
    clip: FrameRange,
    skip: int,
    limits: Limits,
    passed: Callable[[], None],
    seek_point: SeekPoint | None,
) -> Iterator[Frame]:
    with open_video(path, limits) as (container, stream):
        frames = (
            frames_from_seek_point(path, container, stream, seek_point)
            if seek_point
            else decode_packets(path, container, stream)
        )
        converter = FrameConverter()
        inside = (
            max(0, seek_point.number - seek_point.inside) if seek_point else 0
        )  # frames in the clip's time so far
        for index, time, frame in _timed(frames, stream, seek_point):
            passed()
            if clip.end is not None and time >= clip.end:
                return
            if clip.start is not None and time < clip.start:
                continue
            number, rest = divmod(inside, clip.stride)
            inside += 1
            if rest:
                continue
            if number >= skip:
                check_size(path, frame.width, frame.height, limits)
                yield Frame(converter.rgb(frame), str(path), index, time)
            if clip.max_frames is not None and number + 1 >= clip.max_frames:
                return


def _timed(
    frames: Iterator[VideoFrame], stream: VideoStream, seek_point: SeekPoint | None
) -> Iterator[tuple[int, float, VideoFrame]]:
    """Index, time in seconds since the first, and frame.

    In joined recordings timestamps go back: the next frame's time follows the last one's.
    """
    first = seek_point.first if seek_point else None
    rate = stream.average_rate or _USUAL_RATE
    latest = Fraction(-1)
    for index, frame in enumerate(frames, start=seek_point.number if seek_point else 0):
        if index == 0:
            first = frame.pts
        if first is None or frame.pts is None or frame.time_base is None:
            yield index, float(Fraction(index) / rate), frame
        else:
            time = (frame.pts - first) * frame.time_base
            if time < latest:
                first -= round((latest + 1 / rate - time) / frame.time_base)
                time = (frame.pts - first) * frame.time_base
            latest = time
            yield index, float(time), frame
