"""Packets to decoded video frames, and those to upright RGB arrays with alpha on white."""

import errno
from collections import deque
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vlseg_cli.media.container import is_truncated, starts_recording
from vlseg_cli.schema import InputError


class DisplayMatrix(NamedTuple):
    """Stored (x, y) is displayed at (a x + c y, b x + d y), up to scale and shift."""

    a: int
    b: int
    c: int
    d: int

    @property
    def swaps_sides(self) -> bool:
        """Whether rows become columns."""
        return abs(self.b) > abs(self.a)

    @property
    def mirrors(self) -> bool:
        """Whether it reflects."""
        return self.a * self.d - self.b * self.c < 0

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Upright pixels, (H, W, C) to (H, W, C) or (W, H, C), by quarter turns."""
        across, down = self.a, self.d
        if self.swaps_sides:
            pixels, across, down = pixels.swapaxes(0, 1), self.c, self.b
        return pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]


_IDENTITY = DisplayMatrix(1, 0, 0, 1)


def display_matrix(frame: VideoFrame) -> DisplayMatrix:
    """The display matrix in a frame's side data.

    Call it for few frames: it creates a reference cycle, so the frame's memory is freed late.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData):
        return _IDENTITY
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    return DisplayMatrix(a, b, c, d)


class FrameConverter:
    """Converts the frames of one stream to upright RGB."""

    def __init__(self) -> None:
        self._matrices: dict[int, DisplayMatrix] = {}  # by rotation, which is cheap to read
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, contiguous: 8 bits per channel, alpha composited on white."""
        if frame.rotation not in self._matrices:
            self._matrices[frame.rotation] = display_matrix(frame)
        if any(component.is_alpha for component in frame.format.components):
            pixels = _on_white(self._converted(frame, "rgba"))
        else:
            pixels = self._converted(frame, "rgb24")
        return np.ascontiguousarray(self._matrices[frame.rotation].apply(pixels))

    def _converted(self, frame: VideoFrame, format_: str) -> NDArray[np.uint8]:
        # One thread: the decoder keeps the others busy.
        converted = self._reformatter.reformat(frame, format=format_, threads=1)
        return converted.to_ndarray().astype(np.uint8, copy=False)


def _on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


# A recorded broadcast may start with packets that depend on missing earlier ones.
_MAY_START_ANYWHERE = {"mpegts", "mpeg"}


def decode_packets(
    path: Path, container: InputContainer, stream: VideoStream, before: int = 0
) -> Iterator[VideoFrame]:
    """All frames from the current position on; before: their number before it, for messages.

    Raises InputError where damage begins, or at the end of a truncated file.
    """
    count = before
    try:
        for packet, is_damaged in _judged(path, container.demux(stream)):
            try:
                for frame in _intact_frames(packet, stream, is_damaged):
                    yield frame
                    count += 1
            except FFmpegError:
                if count or container.format.name not in _MAY_START_ANYWHERE:
                    raise
    except MemoryError as error:
        raise InputError(
            f"{path} asks for more memory than there is, after {count} frames: is it damaged?"
        ) from error
    except FFmpegError as error:
        raise InputError(f"{path} is damaged after {count} frames: copy it again.") from error
    if is_truncated(path):
        raise InputError(f"{path} is cut off after {count} frames: copy it again.")
    if not count:
        raise InputError(f"{path} holds no frame that can be decoded: copy it again.")


def _judged(
    path: Path, packets: Iterator["Packet[VideoStream]"]
) -> Iterator[tuple["Packet[VideoStream]", bool]]:
    """Each packet, and whether it is damaged.

    Where a transport stream was appended to another, libav also marks one of the last two packets
    of the first, which are intact.
    """
    ahead: deque[Packet[VideoStream]] = deque()
    while (packet := ahead.popleft() if ahead else next(packets, None)) is not None:
        is_damaged = packet.is_corrupt
        if is_damaged:
            ahead.extend(islice(packets, 2 - len(ahead)))
            pairs = pairwise([packet, *ahead])
            is_damaged = not any(_starts_recording(path, *pair) for pair in pairs)
        yield packet, is_damaged


def _starts_recording(
    path: Path, before: "Packet[VideoStream]", packet: "Packet[VideoStream]"
) -> bool:
    """Whether the second of two packets is the first of another recording."""
    if before.dts is None or packet.dts is None or not packet.is_keyframe:
        return False
    return packet.dts < before.dts or starts_recording(path, packet.pos)


def _intact_frames(
    packet: "Packet[VideoStream]", stream: VideoStream, is_damaged: bool
) -> Iterator[VideoFrame]:
    """The frames of a packet; raises InvalidDataError for those that the decoder concealed."""
    if is_damaged:
        raise InvalidDataError(errno.EINVAL, "damaged packet")
    for frame in stream.decode(packet):
        if frame.is_corrupt:
            raise InvalidDataError(errno.EINVAL, "damaged frame")
        yield frame
