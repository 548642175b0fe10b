"""Which videos can be written and read, found out by writing and reading a tiny one in memory."""

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import numpy as np

from vlseg_cli.cli.checks.finding import CheckFinding, broken, warning

_CONTAINERS = {"h264": "mp4", "hevc": "mp4", "vp9": "webm", "av1": "mp4", "gif": "gif"}
_HEIGHT, _WIDTH = 96, 128
_GREYS = (20, 80, 140, 200)  # of the frames
_TOLERANCE = 8  # of 255, for what lossy coding does to a grey
_MEND = "Run: pip install --force-reinstall av; its wheels bring all codecs with them."


def codecs() -> Iterator[CheckFinding]:
    """A finding for each codec; only H.264, in which videos are written, is essential."""
    for codec in _CONTAINERS:
        yield codec_finding(codec)


def codec_finding(codec: str) -> CheckFinding:
    """Try one codec, by its FFmpeg name; what cannot be written is not fully tried for reading."""
    name = codec.upper()
    video = _written(codec)
    reads = _reads(codec, video)
    found = f"{'' if reads else 'not '}read, {'' if video else 'not '}written"
    if reads and video:
        return CheckFinding(name, found)
    return (broken if codec == "h264" else warning)(name, found, _MEND)


def _written(codec: str) -> BytesIO | None:
    """A video of a few grey frames, None if there is no encoder that can be opened."""
    import av

    video = BytesIO()
    try:
        with av.open(video, "w", format=_CONTAINERS.get(codec, "mp4")) as container:
            stream = container.add_stream(codec, rate=Fraction(10))
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = _WIDTH, _HEIGHT
            stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
            for grey in _GREYS:
                pixels = np.full((_HEIGHT, _WIDTH, 3), grey, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError):
        return None
    video.seek(0)
    return video


def _reads(codec: str, video: BytesIO | None) -> bool:
    """Whether the frames come back as they were; without a video, whether the decoder opens."""
    import av

    try:
        if video is None:
            av.CodecContext.create(codec, "r").open()
            return True
        with av.open(video, "r") as container:
            greys = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    except (av.FFmpegError, ValueError):
        return False
    return len(greys) == len(_GREYS) and bool(np.allclose(greys, _GREYS, atol=_TOLERANCE))
