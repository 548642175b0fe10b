"""Opens one video file and no other, and detects truncated files, which libav reads without error.

libav gets only bytes that we read for it, and its demuxers are a closed list, as playlists and
scripts would open further files and addresses. A file is truncated only if its own header
announces a greater length, so no complete file is rejected.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vlseg_cli.media.limits import Limits, check_file, check_size
from vlseg_cli.schema import InputError
from vlseg_cli.schema.files import open_regular

_SEGMENT = b"\x18\x53\x80\x67"  # of Matroska; everything but a short header lies in it
_TABLES = 4  # packets before a key frame among which the program table is
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))  # bytes, and where in them the sync byte is
_LARGEST_HEADER = 1 << 12


def is_truncated(path: Path) -> bool:
    """Whether a Matroska, MP4, AVI, GIF or transport stream ends before it should."""
    try:
        with open_regular(path, None) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            return _declared_end(file, size) > size
    except OSError:
        return False  # an unreadable file is reported elsewhere


def _declared_end(file: BinaryIO, size: int) -> int:
    """The least size in bytes that the file's own header declares; 0 if it declares none."""
    start = file.read(_LARGEST_HEADER)
    file.seek(0)
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska_end(start)
    if start.startswith(b"RIFF"):
        return _riff_end(file, size)
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _boxes_end(file, size)
    if start.startswith(b"GIF8"):
        return _gif_end(file)
    return _transport_end(start, size)


def _matroska_end(start: bytes) -> int:
    """Where the segment ends; 0 if that was not known when it was written."""
    at = start.find(_SEGMENT) + len(_SEGMENT)
    if at < len(_SEGMENT) or at >= len(start) or not start[at]:
        return 0
    width = 9 - start[at].bit_length()  # the leading zeros of a number tell how long it is
    length = int.from_bytes(start[at : at + width], "big") & ((1 << 7 * width) - 1)
    return 0 if length == (1 << 7 * width) - 1 else at + width + length


def _riff_end(file: BinaryIO, size: int) -> int:
    """Where the last of the RIFF chunks ends; large AVI files have several."""
    end = 0
    while end < size:
        file.seek(end)
        head = file.read(8)
        if head[:4] != b"RIFF":
            break
        end += 8 + int.from_bytes(head[4:], "little")
    return end


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last box ends."""
    end = 0
    while end < size:
        file.seek(end)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if length < 8:
            break  # 0: to the end of the file; anything else is no box
        end += length
    return end


def _gif_end(file: BinaryIO) -> int:
    """Where the last block ends, or would end if it were whole."""
    head = file.read(13)
    file.seek(_colors(head[10]) if len(head) == 13 else 0, os.SEEK_CUR)
    while (kind := file.read(1)) in (b"!", b","):
        if kind == b",":
            place = file.read(9)
            file.seek(_colors(place[8]) if len(place) == 9 else 0, os.SEEK_CUR)
        file.seek(1, os.SEEK_CUR)  # a label, or the size of codes
        while length := file.read(1):
            if length == b"\0":
                break
            file.seek(length[0], os.SEEK_CUR)
        else:
            return file.tell() + 1
    return file.tell()


def _colors(flags: int) -> int:
    """Bytes of the color table that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _transport_end(start: bytes, size: int) -> int:
    """Where the last packet ends."""
    for packet, at in _TS_PACKETS:
        if len(start) > 4 * packet and all(start[at + packet * n] == 0x47 for n in range(4)):
            return -(-size // packet) * packet
    return 0


def starts_recording(path: Path, at: int | None) -> bool:
    """Whether a recording starts with the transport stream's packet at this byte.

    Its continuity counter and that of the program table before it are 0 then. Where packets are
    missing instead, both are 0 by chance once in 256 times.
    """
    if at is None:
        return False
    with open_regular(path, None) as file:
        for size, _ in _TS_PACKETS:
            before = min(_TABLES, at // size)
            file.seek(at - before * size)
            heads = [file.read(size)[:4] for _ in range(before + 1)]
            if all(len(head) == 4 and head[0] == 0x47 for head in heads):
                tables = [head[3] & 15 for head in heads if (head[1] & 31, head[2]) == (0, 0)]
                return heads[-1][3] & 15 == 0 and tables[-1:] == [0]
    return False


_DEMUXERS = "mov,matroska,avi,gif,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,mxf"
_THREADS = 2  # fixed: the frames of a damaged stream must not depend on the machine
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
        except Exception as error:  # libav has dozens of classes; invalid names raise others
            raise _unreadable(path, error) from error
        yield container, _main_stream(path, container, limits)


def _main_stream(path: Path, container: InputContainer, limits: Limits) -> VideoStream:
    stream = container.streams.best("video")
    if not container.streams:
        raise _unreadable(path)
    if not isinstance(stream, VideoStream) or Disposition.attached_pic in stream.disposition:
        raise InputError(f"{path} holds no video: only audio, or a cover image.")
    context = stream.codec_context
    if context is None:
        raise InputError(f"{path} is in a video format that vlseg cannot decode: convert it.")
    if context.width:  # else it is known with the first frame
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
