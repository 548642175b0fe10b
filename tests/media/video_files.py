"""Videos whose every frame encodes its index, so that a wrong frame is detected."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 64  # some encoders take nothing smaller


class Kind(NamedTuple):
    """Container, codec and pixel format of a video."""

    suffix: str
    codec: str
    pixels: str = "yuv420p"
    options: Mapping[str, str] = MappingProxyType({})


H264 = {"threads": "1", "preset": "ultrafast", "crf": "20", "bf": "2", "x264-params": "log-level=0"}
HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"}
KINDS = {
    "h264": Kind("mp4", "libx264", options=H264),
    "h264-10": Kind("mkv", "libx264", "yuv420p10le", H264),
    "hevc": Kind("mp4", "libx265", options=HEVC),
    "hevc-10": Kind("mov", "libx265", "yuv420p10le", HEVC),
    "vp9": Kind("webm", "libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"}),
    "av1": Kind("mp4", "libsvtav1", options={"preset": "12", "svtav1-params": "lp=1"}),
    "mpeg4": Kind("avi", "mpeg4", options={"qmin": "2", "qmax": "4"}),
    "prores": Kind("mov", "prores_ks", "yuv422p10le"),
    "gray": Kind("mkv", "ffv1", "gray"),
    "alpha": Kind("mov", "qtrle", "argb"),
    "mjpeg": Kind("avi", "mjpeg", "yuvj420p"),
    "broadcast": Kind("ts", "libx264", options=H264),
    "program": Kind("mpg", "mpeg2video", options={"qmax": "4"}),
    "gif": Kind("gif", "gif", "rgb8"),
}


def numbered_image(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """(H, W, 3): 16 bits of ``number`` as bright fields in two rows of eight, low bits first."""
    bits = (number >> np.arange(16) & 1).reshape(2, 8).astype(np.uint8)
    rows, columns = np.arange(height) * 2 // height, np.arange(width) * 8 // width
    gray = 30 + 200 * bits[rows][:, columns]
    return np.repeat(gray[..., None], 3, axis=2)


def number_of(pixels: NDArray[np.uint8]) -> int:
    """The number encoded in an image."""
    height, width, _ = pixels.shape
    rows = (np.arange(2) * 2 + 1) * height // 4
    columns = (np.arange(8) * 2 + 1) * width // 16
    return int(((pixels[rows][:, columns, 1].reshape(16) > 127) << np.arange(16)).sum())


def write_numbered_video(
    path: Path,
    frames: int | Iterable[NDArray[np.uint8]],
    kind: Kind = KINDS["h264"],
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    turn: int = 0,
) -> Path:
    """Write a video of that many numbered images, or of these images.

    pts: timestamps in ``time_base``; 0, 1, 2, … if not given. turn: rotation metadata in degrees
    counterclockwise; the stored images are rotated the other way.
    """
    images = (
        (numbered_image(number) for number in range(frames)) if isinstance(frames, int) else frames
    )
    with av.open(str(path), "w") as container:
        stream = None
        for number, upright in enumerate(images):
            stored = np.ascontiguousarray(np.rot90(upright, -turn // 90))
            if stream is None:
                stream = container.add_stream(
                    kind.codec, rate=Fraction(25), options=dict(kind.options)
                )
                stream.height, stream.width = stored.shape[:2]
                stream.pix_fmt = kind.pixels
                stream.codec_context.time_base = stream.time_base = time_base
                if turn:
                    stream.set_display_rotation(turn)
            frame = av.VideoFrame.from_ndarray(stored).reformat(format=kind.pixels)
            frame.pts, frame.time_base = number if pts is None else pts[number], time_base
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode(None))
    return path
