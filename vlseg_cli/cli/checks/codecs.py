"""Which video codecs work: each encodes and decodes a tiny video in memory."""

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import numpy as np

from vlseg_cli.cli.checks import CheckFinding, broken, warning

_CONTAINERS = {"h264": "mp4", "hevc": "mp4", "vp9": "webm", "av1": "mp4", "gif": "gif"}
_HEIGHT, _WIDTH = 96, 128
_GRAYS = (20, 80, 140, 200)  # of the frames
_TOLERANCE = 8  # of 255, for lossy coding
_REMEDY = "Run: pip install --force-reinstall av; its wheels include all codecs."


def codecs() -> Iterator[CheckFinding]:
    """A finding for each codec; only H.264, the codec of written videos, is required."""
    for codec in _CONTAINERS:
        yield codec_finding(codec)


def codec_finding(codec: str) -> CheckFinding:
    """Try one codec, by its FFmpeg name; without an encoder the decoder is only opened."""
    name = codec.upper()
    video = _encode(codec)
    reads = _can_decode(codec, video)
    found = f"{'' if reads else 'not '}read, {'' if video else 'not '}written"
    if reads and video:
        return CheckFinding(name, found)
    return (broken if codec == "h264" else warning)(name, found, _REMEDY)


def _encode(codec: str) -> BytesIO | None:
    """A video of a few gray frames, None if there is no encoder that can be opened."""
    import av

    video = BytesIO()
    try:
        with av.open(video, "w", format=_CONTAINERS.get(codec, "mp4")) as container:
            stream = container.add_stream(codec, rate=Fraction(10))
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = _WIDTH, _HEIGHT
            stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
            for gray in _GRAYS:
                pixels = np.full((_HEIGHT, _WIDTH, 3), gray, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError):
        return None
    video.seek(0)
    return video


def _can_decode(codec: str, video: BytesIO | None) -> bool:
    """Whether the frames are decoded correctly; without a video, whether the decoder opens."""
    import av

    try:
        if video is None:
            av.CodecContext.create(codec, "r").open()
            return True
        with av.open(video, "r") as container:
            grays = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    except (av.FFmpegError, ValueError):
        return False
    return len(grays) == len(_GRAYS) and bool(np.allclose(grays, _GRAYS, atol=_TOLERANCE))
