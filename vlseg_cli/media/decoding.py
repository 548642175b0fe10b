"""From the packets of an open video to its frames, as far as they are sound."""

import errno
from collections.abc import Iterator
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vlseg_cli.media.cut_off import is_cut_off
from vlseg_cli.schema import InputError

# A recording of a broadcast begins anywhere, with packets that need others before it.
_BEGIN_ANYWHERE = {"mpegts", "mpeg"}


def decoded(
    path: Path, container: InputContainer, stream: VideoStream, before: int = 0
) -> Iterator[VideoFrame]:
    """All frames from here on; before: how many there are before, for the words of errors.

    Raises InputError where damage begins, or at the end if the file is cut off.
    """
    count = before
    try:
        for packet in container.demux(stream):
            try:
                for frame in _sound_frames(packet, stream):
                    yield frame
                    count += 1
            except FFmpegError:
                if count or container.format.name not in _BEGIN_ANYWHERE:
                    raise
    except MemoryError as error:
        raise InputError(
            f"{path} asks for more memory than there is, after {count} frames: is it damaged?"
        ) from error
    except FFmpegError as error:
        raise InputError(f"{path} is damaged after {count} frames: copy it again.") from error
    if is_cut_off(path):
        raise InputError(f"{path} is cut off after {count} frames: copy it again.")
    if not count:
        raise InputError(f"{path} holds no frame that can be decoded: copy it again.")


def _sound_frames(packet: "Packet[VideoStream]", stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames of a packet; raises InvalidDataError for those that the decoder had to guess."""
    if packet.is_corrupt:
        raise InvalidDataError(errno.EINVAL, "damaged packet")
    for frame in stream.decode(packet):
        if frame.is_corrupt:
            raise InvalidDataError(errno.EINVAL, "damaged frame")
        yield frame
