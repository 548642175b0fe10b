"""Open a video file and nothing else: whatever its name or content says, no other file is touched.

libav only ever sees bytes that we read for it. The demuxers are a closed list, as playlists and
scripts would make it open further files and addresses.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vlseg_cli.media.limits import Limits, check_file, check_size
from vlseg_cli.media.truncation import is_truncated
from vlseg_cli.schema import InputError

_DEMUXERS = "mov,matroska,avi,gif,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,mxf"
_THREADS = 2  # a fixed number: what a damaged stream decodes to must not depend on the machine
_BUFFER = 1 << 18  # bytes read at a time


@contextmanager
def open_video(path: Path, limits: Limits) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A video file and its main stream, ready to decode.

    Raises InputError if it is missing, no regular file, no video, damaged or over a limit.
    """
    check_file(path, limits.video_bytes)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb", buffering=0))
            container = stack.enter_context(
                av.open(
                    file,
                    "r",
                    options={
                        "format_whitelist": _DEMUXERS,
                        "protocol_whitelist": "none",
                    },
                    metadata_errors="replace",
                    buffer_size=_BUFFER,
                )
            )
        except Exception as error:  # libav has dozens of kinds, and damaged names add ours
            raise _unreadable(path, error) from error
        yield container, _main_stream(path, container, limits)


def _main_stream(path: Path, container: InputContainer, limits: Limits) -> VideoStream:
    stream = container.streams.best("video")
    if not container.streams:
        raise _unreadable(path)
    if not isinstance(stream, VideoStream) or Disposition.attached_pic in stream.disposition:
        raise InputError(f"{path} holds no video: only sound, or a cover picture.")
    context = stream.codec_context
    if context is None:
        raise InputError(f"{path} is in a video format that vlseg cannot decode: convert it.")
    if context.width:  # else only the first frame will tell
        check_size(path, context.width, context.height, limits)
    context.thread_type = "AUTO"
    context.thread_count = _THREADS
    return stream


def _unreadable(path: Path, error: Exception | None = None) -> InputError:
    if isinstance(error, PermissionError):
        return InputError(f"{path} cannot be opened: permission denied.")
    if isinstance(error, MemoryError):
        return InputError(f"{path} cannot be opened: it does not fit into memory.")
    if is_truncated(path):
        return InputError(
            f"{path} is cut off, so not even its first frame is found: copy it again."
        )
    return InputError(f"{path} is not a video in a format that vlseg reads, or it is damaged.")
