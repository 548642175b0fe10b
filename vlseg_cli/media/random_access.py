"""Single frames of a video by index, for reference frames and training clips.

decord is fast at this within measured limits: it must be flushed after a few frames by seeking to
the start, and it fails on AV1 and GIF. Other videos are streamed.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.media.container import open_video
from vlseg_cli.media.decoding import decode_packets, display_matrix
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits, check_size
from vlseg_cli.media.seek import index_packets
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import Frame, FrameRange, InputError

_CODECS = ("h264", "hevc", "vp9", "prores", "ffv1")
_CHUNK = 16  # frames between two flushes: until one, it keeps all decoded frames in memory
_THREADS = 2


def sample_frames(
    path: Path, indices: Sequence[int], limits: Limits = DEFAULT_LIMITS
) -> list[Frame]:
    """The frames with these indices, in this order, equal to those of ``read_video``.

    Raises InputError if the file cannot be read, or has no frame of such an index.
    """
    wanted = sorted({index for index in indices if index >= 0})
    found: dict[int, Frame] = {}
    if wanted:
        found = _by_decord(path, wanted, limits) or _by_streaming(path, wanted, limits)
    for index in indices:
        if index not in found:
            raise InputError(f"{path} has no frame {index}: they are counted from 0.")
    return [found[index] for index in indices]


def _by_streaming(path: Path, wanted: Sequence[int], limits: Limits) -> dict[int, Frame]:
    chosen, found = set(wanted), dict[int, Frame]()
    for frame in read_video(path, FrameRange(max_frames=wanted[-1] + 1), limits=limits):
        if frame.index in chosen:
            found[frame.index] = frame
    return found


def _by_decord(path: Path, wanted: Sequence[int], limits: Limits) -> dict[int, Frame]:
    """Empty if decord is missing, cannot decode this video, or disagrees about its frames."""
    times, shape = _times_and_shape(path, limits)
    if not wanted[-1] < len(times):
        return {}
    try:
        pixels = _decord_pixels(path, wanted, len(times))
    except Exception:  # it has exception classes of its own
        return {}
    if {picture.shape for picture in pixels} != {shape}:
        return {}
    return {
        index: Frame(picture, str(path), index, times[index])
        for index, picture in zip(wanted, pixels, strict=True)
    }


def _times_and_shape(path: Path, limits: Limits) -> tuple[list[float], tuple[int, int, int]]:
    """Time of each frame in s, and (H, W, 3); no times if decord cannot decode the video."""
    with open_video(path, limits) as (container, stream):
        first = next(decode_packets(path, container, stream))
        check_size(path, first.width, first.height, limits)
        matrix, height, width = display_matrix(first), first.height, first.width
        shape = (width, height, 3) if matrix.swaps_sides else (height, width, 3)
        if stream.codec_context.name not in _CODECS or matrix.mirrors:
            return [], shape
    with open_video(path, limits) as (container, stream):
        index = index_packets(container, stream)
        if index is None or not stream.time_base:
            return [], shape
        start = index.times[0]
        return [float((time - start) * stream.time_base) for time in index.times], shape


def _decord_pixels(path: Path, wanted: Sequence[int], count: int) -> list[NDArray[np.uint8]]:
    """(H, W, 3) of each wanted frame; decord applies the rotation itself."""
    os.environ.setdefault("DECORD_EOF_RETRY_MAX", "640")  # else it tries an end 10240 times
    import decord

    decord.logging.set_level(decord.logging.QUIET)
    reader = decord.VideoReader(os.path.realpath(path), decord.cpu(0), num_threads=_THREADS)
    if len(reader) != count:
        raise ValueError
    pixels: list[NDArray[np.uint8]] = []
    for at in range(0, len(wanted), _CHUNK):
        pixels += list(reader.get_batch(wanted[at : at + _CHUNK]).asnumpy())
        reader.seek(0)
    return pixels
