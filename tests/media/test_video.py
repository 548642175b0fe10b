"""Frames of common videos are read in order, upright, with the timestamps of the source."""

import gc
import os
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media.video_files import (
    H264,
    HEVC,
    KINDS,
    Kind,
    number_of,
    numbered_image,
    write_numbered_video,
)
from PIL import Image

from vlseg_cli.media.limits import Limits
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import Frame, FrameRange, InputError


def numbers(frames: Sequence[Frame]) -> list[int]:
    return [number_of(frame.pixels) for frame in frames]


@pytest.mark.parametrize("name", KINDS)
def test_every_codec_yields_each_frame_once_in_order(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = write_numbered_video(tmp_path / f"film.{kind.suffix}", 40, kind)
    frames = list(read_video(path, FrameRange()))
    assert numbers(frames) == [frame.index for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(40)], abs=1e-6)
    assert {frame.source for frame in frames} == {str(path)}
    for frame in frames:
        assert frame.pixels.dtype == np.uint8
        assert np.abs(frame.pixels.astype(int) - numbered_image(frame.index)).mean() < 25


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi"])
@pytest.mark.parametrize("size", [(65, 67), (80, 66)])
def test_every_container_and_odd_sizes(suffix: str, size: tuple[int, int], tmp_path: Path) -> None:
    height, width = size
    kind = KINDS["vp9" if suffix == "webm" else "mjpeg" if suffix == "avi" else "h264"]
    if kind.codec == "libx264":
        kind = kind._replace(pixels="yuv444p")
    images = [numbered_image(number, width, height) for number in range(5)]
    path = write_numbered_video(tmp_path / f"film.{suffix}", images, kind)
    frames = list(read_video(path, FrameRange()))
    assert [frame.pixels.shape for frame in frames] == [(height, width, 3)] * 5
    assert numbers(frames) == list(range(5))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_applied_once(turn: int, tmp_path: Path) -> None:
    images = [numbered_image(number, 64, 96) for number in range(300, 303)]
    path = write_numbered_video(tmp_path / "film.mp4", images, turn=turn)
    frames = list(read_video(path, FrameRange()))
    assert [frame.pixels.shape for frame in frames] == [(96, 64, 3)] * 3
    assert numbers(frames) == [300, 301, 302]
    assert all(frame.pixels.flags.c_contiguous for frame in frames)


def test_a_mirrored_video_is_flipped_back(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.set_display_rotation(0, hflip=True)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(numbered_image(291)[:, ::-1]))
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert numbers(list(read_video(tmp_path / "film.mp4", FrameRange()))) == [291]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_uneven_timestamps_are_exact_and_relative_to_the_first_frame(
    suffix: str, tmp_path: Path
) -> None:
    pts = [5000 + one for one in (0, 40, 41, 90, 300, 1234, 1235, 4000)]
    path = write_numbered_video(
        tmp_path / f"film.{suffix}", 8, pts=pts, time_base=Fraction(1, 1000)
    )
    with av.open(str(path)) as container:
        base = container.streams.video[0].time_base
        stored = [frame.pts for frame in container.decode(video=0)]
    assert base is not None
    frames = list(read_video(path, FrameRange()))
    assert numbers(frames) == list(range(8))
    assert [round(frame.time / base) + stored[0] for frame in frames] == stored
    assert [round(frame.time * 1000) for frame in frames] == [one - 5000 for one in pts]


def test_frames_may_change_their_size(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        for number, edge in enumerate((64, 64, 128, 96)):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = edge, edge, "yuvj420p"
            encoder.time_base = Fraction(1, 25)
            frame = av.VideoFrame.from_ndarray(numbered_image(number, edge, edge))
            frame.pts, frame.time_base = number, Fraction(1, 25)
            for packet in encoder.encode(frame.reformat(format="yuvj420p")):
                packet.stream = stream
                container.mux(packet)
    frames = list(read_video(path, FrameRange()))
    assert [frame.height for frame in frames] == [64, 64, 128, 96]
    assert numbers(frames) == [0, 1, 2, 3]
    with pytest.raises(InputError, match="128 x 128 px, over the limit"):
        list(read_video(path, FrameRange(), limits=Limits(side=100)))


def test_transparency_is_composed_on_white(tmp_path: Path) -> None:
    shapes = []
    for column in range(3):
        image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
        image.paste((200, 0, 0, 255), (8 * column, 0, 8 * column + 8, 32))
        shapes.append(image)
    path = tmp_path / "moving.gif"
    shapes[0].save(path, save_all=True, append_images=shapes[1:], disposal=2, duration=70)
    frames = list(read_video(path, FrameRange()))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.07, 0.14])
    for column, frame in enumerate(frames):
        assert frame.pixels[16, 8 * column + 4].tolist() == [200, 0, 0]
        assert frame.pixels[16, 28].tolist() == [255, 255, 255]


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Frame]]:
    """A video of 60 frames with uneven timestamps, and all its frames."""
    path = tmp_path_factory.mktemp("films") / "film.mkv"
    write_numbered_video(
        path, 60, pts=[40 * n + 7 * (n % 3) for n in range(60)], time_base=Fraction(1, 1000)
    )
    return path, list(read_video(path, FrameRange()))


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    stride=st.integers(1, 9),
    start=st.none() | st.floats(0, 3),
    end=st.none() | st.floats(0, 3),
    most=st.none() | st.integers(1, 70),
    skip=st.integers(0, 70),
)
def test_a_frame_range_equals_slicing_all_frames(
    uneven: tuple[Path, list[Frame]],
    stride: int,
    start: float | None,
    end: float | None,
    most: int | None,
    skip: int,
) -> None:
    path, frames = uneven
    inside = [
        frame.index
        for frame in frames
        if frame.time >= (start or 0) and (end is None or frame.time < end)
    ]
    found = list(read_video(path, FrameRange(stride, start, end, most), skip))
    assert [frame.index for frame in found] == inside[::stride][:most][skip:]
    assert numbers(found) == [frame.index for frame in found]


def test_a_truncated_video_yields_its_frames_and_then_an_error(tmp_path: Path) -> None:
    for name in ("h264-10", "vp9", "mjpeg", "gif", "broadcast"):
        kind = KINDS[name]
        path = write_numbered_video(tmp_path / f"film.{kind.suffix}", 60, kind)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3 // 2 * 2 + 1])
        frames = []
        with pytest.raises(InputError, match=r"after (\d+) frames: copy it again") as caught:
            for frame in read_video(path, FrameRange()):
                frames.append(frame)
        assert 20 < len(frames) < 60
        assert numbers(frames)[:-2] == list(range(len(frames) - 2))
        assert f"after {len(frames)} frames" in str(caught.value)


def test_a_video_truncated_before_its_index_is_an_error(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mp4", 30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="is cut off"):
        list(read_video(path, FrameRange()))


def test_memory_is_constant(tmp_path: Path) -> None:
    images = (numbered_image(number, 256, 256) for number in range(800))
    path = write_numbered_video(tmp_path / "film.avi", images, KINDS["mjpeg"])
    gc.collect()
    gc.disable()  # nothing may wait for it
    try:
        for frame in read_video(path, FrameRange()):
            if frame.index == 100:
                before = _resident()
        assert _resident() - before < 40e6  # the frames themselves have 150 MB
    finally:
        gc.enable()


def _resident() -> int:
    """Resident memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_frame_limit_stops_reading_early(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mkv", 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert numbers(list(read_video(path, FrameRange(max_frames=10)))) == list(range(10))
    assert numbers(list(read_video(path, FrameRange(end=0.4)))) == list(range(10))


def test_a_transport_stream_may_start_between_keyframes(tmp_path: Path) -> None:
    kind = KINDS["broadcast"]
    path = write_numbered_video(
        tmp_path / "film.ts", 90, kind._replace(options={**kind.options, "g": "30"})
    )
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 4 // 188 * 188 :])
    frames = list(read_video(path, FrameRange()))
    assert numbers(frames)[-30:] == list(range(60, 90))
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert frames[0].time == 0


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize(("first", "size"), [(0, 64), (0, 96), (10, 64), (10, 96), (1000, 64)])
def test_joined_transport_streams_give_the_frames_of_both(
    codec: str, first: int, size: int, tmp_path: Path
) -> None:
    """Like ``cat one.ts two.ts``: timestamps that start again, go on or jump, and other sizes."""
    options = HEVC if codec == "libx265" else H264
    kind = Kind("ts", codec, options={**options, "g": "8"})
    one = write_numbered_video(tmp_path / "one.ts", 10, kind)
    images = (numbered_image(n, size, size) for n in range(10, 20))
    two = write_numbered_video(tmp_path / "two.ts", images, kind, pts=range(first, first + 10))
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    frames = list(read_video(both, FrameRange()))
    assert numbers(frames) == list(range(20))
    assert [frame.index for frame in frames] == list(range(20))
    times = [frame.time for frame in frames if frame.time is not None]
    assert all(now < then for now, then in pairwise(times))
    assert times[10] == pytest.approx(max(first, 10) / 25, abs=0.1)


@pytest.mark.parametrize("picture", [3, 7, 8])
def test_missing_packets_of_a_transport_stream_are_damage(picture: int, tmp_path: Path) -> None:
    """Also just before a key frame, where another recording might have been appended."""
    kind = KINDS["broadcast"]
    images = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), np.uint8)
    path = write_numbered_video(
        tmp_path / "film.ts", images, kind._replace(options={**kind.options, "g": "8"})
    )
    data = path.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    video = [n for n, packet in enumerate(packets) if packet[1:3] in (b"\x41\x00", b"\x01\x00")]
    starts = [n for n in video if packets[n][1] & 0x40]
    dropped = max(n for n in video if n < starts[picture + 1])
    path.write_bytes(b"".join(packets[:dropped] + packets[dropped + 1 :]))
    with pytest.raises(InputError, match="is damaged after"):
        list(read_video(path, FrameRange()))


def test_damage_in_the_middle_ends_the_video_there(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mkv", 60)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1000] = bytes(1000)
    path.write_bytes(data)
    frames = []
    with pytest.raises(InputError, match="is damaged after"):
        for frame in read_video(path, FrameRange()):
            frames.append(frame)
    assert numbers(frames) == list(range(len(frames)))


def test_flipped_bits_yield_frames_or_an_input_error(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    errors = 0
    for name in ("h264", "hevc", "vp9", "mpeg4", "gif", "program"):
        kind = KINDS[name]
        data = write_numbered_video(tmp_path / f"film.{kind.suffix}", 8, kind).read_bytes()
        for _ in range(12):
            damaged = np.frombuffer(data, np.uint8).copy()
            places = random.integers(0, len(data), 12)
            damaged[places] ^= (1 << random.integers(0, 8, 12)).astype(np.uint8)
            path = tmp_path / f"damaged.{kind.suffix}"
            path.write_bytes(damaged.tobytes())
            try:
                for frame in read_video(path, FrameRange(), limits=Limits(pixels=1 << 20)):
                    assert frame.pixels.shape[2] == 3
            except InputError as error:
                errors += 1
                assert "\n" not in str(error)
    assert errors > 10


def test_audio_or_cover_art_is_no_video(tmp_path: Path) -> None:
    for with_cover in (False, True):
        path = tmp_path / "sound.mp4"
        with av.open(str(path), "w") as container:
            sound = container.add_stream("aac", rate=8000)
            if with_cover:
                cover = container.add_stream("png", rate=1)
                cover.width, cover.height, cover.pix_fmt = 64, 64, "rgb24"
                cover.disposition = Disposition.attached_pic
                container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered_image(1))))
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate = 8000
            container.mux([*sound.encode(silence), *sound.encode(None)])
        with pytest.raises(InputError, match="holds no video"):
            list(read_video(path, FrameRange()))


def test_gray_and_10_bit_videos_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None] * 4, 64, axis=0)
    shades = np.repeat(ramp, 3, axis=2)
    for kind in (Kind("mkv", "ffv1", "gray"), Kind("mkv", "ffv1", "yuv444p10le"), KINDS["prores"]):
        path = write_numbered_video(tmp_path / f"film.{kind.suffix}", [shades], kind)
        (frame,) = read_video(path, FrameRange())
        assert np.abs(frame.pixels.astype(int) - shades).max() <= 12
