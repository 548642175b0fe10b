"""Encodes the frames of one chunk of a video, with the timestamps of its source.

A Frame has seconds since the first one; exact timestamps need the source's time base and the
timestamp of that first frame.
"""

from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    VideoReformatter,
)
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vlseg_cli.media.probe import probe
from vlseg_cli.schema import UsageError

_USUAL_RATE = Fraction(25)


class StreamTiming(NamedTuple):
    """first: timestamp of the first frame. time_base: s per unit. rate: approximate frames per s.

    height, width: of the first frame, upright, px.
    """

    first: int
    time_base: Fraction
    rate: Fraction
    height: int
    width: int

    def ticks(self, time: float) -> int:
        """The timestamp nearest to a time in s since the first frame; exact for frames."""
        return self.first + round(time / self.time_base)


def read_timing(source: str) -> StreamTiming:
    """The timing of a video. Raises InputError if it cannot be opened."""
    found = probe(Path(source))
    rate = found.fps or _USUAL_RATE
    time_base = found.time_base or 1 / rate
    return StreamTiming(found.first_pts or 0, time_base, rate, found.height, found.width)


BIT_EXACT = {"fflags": "+bitexact"}  # no random numbers, dates or versions in containers

_FIXED = {"threads": "2", "g": "250"}
# The first that can be opened is used. None reorders frames, so segments never overlap in time.
_ENCODERS: dict[str, dict[str, str]] = {
    # Without macroblock tree: on CPUs with AVX-512 it makes x264's output vary from run to run.
    "libx264": {"preset": "veryfast", "crf": "21", "bf": "0", "mbtree": "0", **_FIXED},
    "libvpx-vp9": {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "7", **_FIXED},
}


@cache
def encoder_options() -> tuple[str, dict[str, str]]:
    """The encoder in use and its settings. Raises UsageError if there is none."""
    for name, options in _ENCODERS.items():
        with suppress(FFmpegError, UnknownCodecError):
            context = CodecContext.create(name, "w")
            assert isinstance(context, VideoCodecContext)
            context.width, context.height, context.pix_fmt = 64, 64, "yuv420p"
            context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
            context.options = options
            context.open()
            return name, options
    raise UsageError(f"The format video needs one of the encoders {', '.join(_ENCODERS)} in PyAV.")


def encoder_version() -> str:
    """Encoder and PyAV, on which a video's bytes depend: 'libx264, PyAV 18.1.0'."""
    return f"{encoder_options()[0]}, PyAV {av.__version__}"


class SegmentEncoder:
    """Encodes the frames of one chunk of a video to an open NUT file.

    An odd width or height is padded by repeating the last column or row, as encoders need even
    sizes; frames of another size than the video's first are scaled to it.
    """

    def __init__(self, file: BinaryIO, clock: StreamTiming) -> None:
        """file: seekable, open until ``finish``."""
        codec, options = encoder_options()
        self._clock = clock
        self._last: int | None = None
        self._reformatter = VideoReformatter()
        self._container = av.open(file, "w", format="nut", container_options=BIT_EXACT)
        stream = self._container.add_stream(
            codec, rate=clock.rate, options=options, time_base=clock.time_base
        )
        assert isinstance(stream, VideoStream)
        stream.width = clock.width + clock.width % 2
        stream.height = clock.height + clock.height % 2
        stream.pix_fmt = "yuv420p"
        self._stream, context = stream, stream.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709

    def add(self, pixels: NDArray[np.uint8], time: float) -> None:
        """Encode a frame (H, W, 3), ``time`` s after the video's first.

        If a damaged source has equal timestamps, the second is one unit later.
        """
        ticks = self._clock.ticks(time)
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        frame = self._converted(pixels)
        frame.pts, frame.time_base = self._last, self._clock.time_base
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Flush the encoder and complete the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def drop(self) -> None:
        """Free the encoder; the file is incomplete."""
        with suppress(FFmpegError, OSError, ValueError):  # the file may be closed, the disk full
            self._container.close()

    def _converted(self, pixels: NDArray[np.uint8]) -> VideoFrame:
        odd = [(0, side % 2) for side in pixels.shape[:2]]
        if any(more for _, more in odd):
            pixels = np.pad(pixels, (*odd, (0, 0)), mode="edge")
        return self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "rgb24"),
            self._stream.width,
            self._stream.height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
