"""A decoder that crashes, hangs or is abandoned costs one file, never the job."""

import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from media.video_files import KINDS, number_of, numbered_image, write_numbered_video
from PIL import Image

from vlseg_cli.media.decoder import Decoder
from vlseg_cli.media.limits import Limits
from vlseg_cli.media.protocol import Request
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import Frame, FrameRange, InputError, VlsegError


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    """One decoder for most tests, as one serves a whole job even if its child crashes."""
    with Decoder() as decoder:
        yield decoder


@pytest.fixture(scope="module")
def video_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 400 frames, more than are ever decoded ahead."""
    path = tmp_path_factory.mktemp("films") / "film.avi"
    return write_numbered_video(
        path, (numbered_image(n, 160, 160) for n in range(400)), KINDS["mpeg4"]
    )


def write_photo(path: Path, number: int) -> Path:
    Image.fromarray(numbered_image(number)).save(path)
    return path


def numbers(frames: Iterator[Frame]) -> list[int]:
    return [number_of(frame.pixels) for frame in frames]


def test_frames_equal_those_of_reading_in_process(
    decoder: Decoder, video_path: Path, tmp_path: Path
) -> None:
    for clip, skip in ((FrameRange(), 0), (FrameRange(3, 1.0, 9.0, 40), 7)):
        ours = list(decoder.frames(video_path, clip, skip))
        direct = list(read_video(video_path, clip, skip))
        assert [(f.index, f.time, f.source) for f in ours] == [
            (f.index, f.time, f.source) for f in direct
        ]
        for one, other in zip(ours, direct, strict=True):
            assert np.array_equal(one.pixels, other.pixels)
            assert one.pixels.flags.writeable
    (photo,) = decoder.frames(write_photo(tmp_path / "photo.png", 77), FrameRange(stride=5))
    assert (photo.index, photo.time, number_of(photo.pixels)) == (0, None, 77)


def test_files_are_read_in_order_and_errors_give_the_reason(
    decoder: Decoder, tmp_path: Path
) -> None:
    paths: list[Path] = []
    for number in range(100):
        path = tmp_path / f"{number}.png"
        if number % 10 == 3:
            write_numbered_video(path.with_suffix(".mp4"), 3 + number // 10)
        elif number % 10 == 6:
            path.write_bytes(b"no picture")
        else:
            write_photo(path, number)
        paths.append(path.with_suffix(".mp4") if number % 10 == 3 else path)
    requests = ((number, Request(path, path.suffix == ".mp4")) for number, path in enumerate(paths))
    order = []
    for number, frames in decoder.read(requests):
        order.append(number)
        if number % 10 == 6:
            with pytest.raises(InputError, match=f"{number}.png is not an image"):
                next(frames)
        elif number % 10 == 3:
            assert numbers(frames) == list(range(3 + number // 10))
        else:
            assert numbers(frames) == [number]
    assert order == list(range(100))


def test_unusual_file_names_are_transmitted(decoder: Decoder, tmp_path: Path) -> None:
    for name in ("two\nlines.png", "ä ☃.png", os.fsdecode(b"\xff\xfe.png"), '"},{.png'):
        path = write_photo(tmp_path / name, 5)
        (frame,) = decoder.frames(path, FrameRange())
        assert frame.source == str(path)


def test_requests_are_read_only_a_little_ahead(
    decoder: Decoder, video_path: Path, tmp_path: Path
) -> None:
    photo = write_photo(tmp_path / "photo.png", 1)
    requested = 0

    def requests(path: Path, is_video: bool) -> Iterator[tuple[int, Request]]:
        nonlocal requested
        for number in range(1000):
            requested += 1
            yield number, Request(path, is_video)

    reading = decoder.read(requests(photo, is_video=False))
    for taken in range(1, 50):
        assert numbers(next(reading)[1]) == [1]
        assert requested <= taken + 32
    assert requested > 50
    requested = 0
    _, frames = next(decoder.read(requests(video_path, is_video=True)))
    for _ in range(100):
        next(frames)
    assert requested == 1  # the next video is requested only when this one is decoded
    assert len(list(frames)) == 300
    assert requested <= 2


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_costs_one_file(
    number: signal.Signals, decoder: Decoder, video_path: Path, tmp_path: Path
) -> None:
    photo = write_photo(tmp_path / "photo.png", 9)
    requests = [("film", Request(video_path, True)), ("photo", Request(photo, False))] * 2
    reading = decoder.read(iter(requests))
    key, frames = next(reading)
    assert (key, number_of(next(frames).pixels)) == ("film", 0)
    before = decoder.pid
    os.kill(before, number)
    with pytest.raises(InputError, match=rf"film\.avi cannot be decoded: .*\(signal {number:d}\)"):
        list(frames)
    assert decoder.pid != before
    assert numbers(next(reading)[1]) == [9]
    assert numbers(next(reading)[1]) == list(range(400))
    assert numbers(next(reading)[1]) == [9]


def test_a_hang_costs_one_file(video_path: Path, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png", 9)
    with Decoder(timeout=3) as decoder:
        reading = decoder.read([(0, Request(video_path, True)), (1, Request(photo, False))])
        _, frames = next(reading)
        next(frames)
        os.kill(decoder.pid, signal.SIGSTOP)
        with pytest.raises(InputError, match=r"the decoder gave no frame for 3 s"):
            list(frames)
        assert numbers(next(reading)[1]) == [9]


def test_decoding_ahead_is_bounded(decoder: Decoder, video_path: Path) -> None:
    frames = decoder.frames(video_path, FrameRange())
    next(frames)
    time.sleep(1)  # time enough to decode it all
    os.kill(decoder.pid, signal.SIGKILL)
    came = 0
    with pytest.raises(InputError):
        for _ in frames:
            came += 1
    assert came < 100


def test_frames_are_released(decoder: Decoder, video_path: Path) -> None:
    references = []
    for frame in decoder.frames(video_path, FrameRange()):
        references.append(weakref.ref(frame.pixels))
        assert sum(pixels() is not None for pixels in references) <= 2


def test_remaining_frames_of_a_file_are_dropped(
    decoder: Decoder, video_path: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    photo, short = (
        write_photo(tmp_path / "photo.png", 9),
        write_numbered_video(tmp_path / "short.mp4", 5),
    )
    files = [video_path, photo, short, bad, video_path, video_path, short, photo]
    requests = [(path.stem, Request(path, path.suffix != ".png")) for path in files]
    keys = []
    for key, frames in decoder.read(requests):
        keys.append(key)
        if len(keys) in (1, 3, 5):
            assert number_of(next(frames).pixels) == 0
        if len(keys) in (7, 8):
            assert numbers(frames) == ([0, 1, 2, 3, 4] if key == "short" else [9])
    assert keys == [path.stem for path in files]


def test_frames_of_a_previous_file_are_no_longer_available(
    decoder: Decoder, tmp_path: Path
) -> None:
    photos = [write_photo(tmp_path / f"{number}.png", number) for number in range(3)]
    reading = decoder.read((path, Request(path, False)) for path in photos)
    late = [next(reading)[1] for _ in photos]
    assert [numbers(frames) for frames in late] == [[], [], [2]]


def test_an_abandoned_read_leaves_no_state(
    decoder: Decoder, video_path: Path, tmp_path: Path
) -> None:
    next(decoder.frames(video_path, FrameRange()))
    next(decoder.read([(0, Request(video_path, True)), (1, Request(video_path, True))]))
    photo = write_photo(tmp_path / "photo.png", 9)
    assert numbers(decoder.frames(photo, FrameRange())) == [9]


def test_limits_reach_the_child(tmp_path: Path, video_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png", 1)
    with Decoder(Limits(pixels=4000)) as decoder:
        for path in (photo, video_path):
            with pytest.raises(InputError, match="million pixels"):
                next(decoder.frames(path, FrameRange()))


def test_a_mask_is_decoded_in_the_child(decoder: Decoder, tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((60, 90)) < 0.3
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found = decoder.mask(tmp_path / "mask.png", 60, 90)
    assert found.dtype == bool and (found == mask).all()
    with pytest.raises(InputError, match="is 90 x 60 px but the image is 60 x 90"):
        decoder.mask(tmp_path / "mask.png", 90, 60)
    assert (decoder.mask(tmp_path / "mask.png", 60, 90) == mask).all()


def test_the_child_takes_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    """40 million pixels with alpha take 0.3 GB, where copies of the whole would take 0.8."""
    Image.new("RGBA", (8000, 5000), (200, 100, 50, 128)).save(tmp_path / "large.png")
    small = write_photo(tmp_path / "small.png", 5)
    with Decoder(Limits(memory_bytes=450_000_000)) as decoder:
        (frame,) = decoder.frames(tmp_path / "large.png", FrameRange())
        assert frame.pixels.shape == (5000, 8000, 3)
        assert decoder.mask(tmp_path / "large.png", 5000, 8000).all()
    with Decoder(Limits(memory_bytes=200_000_000)) as decoder:
        child = decoder.pid
        with pytest.raises(InputError, match=r"large.png does not fit into memory: shrink it"):
            next(decoder.frames(tmp_path / "large.png", FrameRange()))
        assert numbers(decoder.frames(small, FrameRange())) == [5] and decoder.pid == child


def test_the_child_ignores_signals_meant_for_the_parent(decoder: Decoder, video_path: Path) -> None:
    frames = decoder.frames(video_path, FrameRange())
    next(frames)
    assert os.getpgid(decoder.pid) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(decoder.pid, number)
    assert len(list(frames)) == 399


def test_the_child_does_not_outlive_its_parent(video_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from vlseg_cli.media.decoder import Decoder
from vlseg_cli.schema import FrameRange
decoder = Decoder()
frames = decoder.frames(Path({str(video_path)!r}), FrameRange())
next(frames)
print(decoder.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _runs(child)
        parent.kill()
    while _runs(child):
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_is_imported_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "PIL", "json", "av"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hostile')")
    monkeypatch.chdir(tmp_path)
    photo = write_photo(tmp_path / "photo.png", 4)
    with Decoder() as decoder:
        assert numbers(decoder.frames(photo, FrameRange())) == [4]


def test_a_damaged_video_prints_nothing(
    decoder: Decoder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_numbered_video(tmp_path / "film.mkv", 60)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 500] = bytes(500)
    path.write_bytes(data)
    capfd.readouterr()
    with pytest.raises(InputError, match="damaged after"):
        list(decoder.frames(path, FrameRange()))
    assert capfd.readouterr() == ("", "")


def test_a_child_that_does_not_start_is_no_input_error(
    video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Decoder() as decoder, pytest.raises(VlsegError, match="does not start"):
        next(decoder.frames(video_path, FrameRange()))
