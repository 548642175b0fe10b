"""The overlay video has the frames, timestamps and audio of its source."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from outputs.sample_records import box, record
from outputs.video_files import (
    VideoSpec,
    frame_times,
    packets,
    video_item,
    write_overlay_video,
    write_video,
)

from vlseg_cli.media.video import read_video
from vlseg_cli.outputs import OutputFolder, encoder
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.outputs.video import VideoSink
from vlseg_cli.schema import Frame, FrameRange, Item, OutputError, Record

EVEN = {"width": 64, "height": 48}
SOURCES = {
    "odd.mp4": VideoSpec(),
    "late.mp4": VideoSpec(start=Fraction(5003, 1000), sound="alac"),
    "film.mkv": VideoSpec(sound="flac", start=Fraction(33, 1000)),
    "stream.ts": VideoSpec(**EVEN, time_base=Fraction(1, 90000)),
    "old.avi": VideoSpec(**EVEN, codec="mpeg4", sound="mp3", time_base=Fraction(1, 25), even=True),
    "mute.mov": VideoSpec(**EVEN, sound=None, time_base=Fraction(1001, 30000), even=True),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Videos in various containers."""
    return write_video(tmp_path / request.param, SOURCES[request.param])


def frame_records(width: int = 61, height: int = 45) -> list[Record]:
    """One record, drawn on every frame."""
    return [record(box(height, width, 3, 4, 20, 20))]


def video_of(path: Path, out: Path, **how: object) -> Path:
    """The overlay video of a source."""
    folder = OutputFolder(out)
    write_overlay_video(VideoSink(folder), path, [], **how)  # type: ignore[arg-type]
    return out / "video" / f"{path.stem}.mp4"


def test_every_frame_keeps_its_timestamp(source: Path, tmp_path: Path) -> None:
    made = video_of(source, tmp_path / "out")
    assert frame_times(made) == frame_times(source)
    assert [packet.time for packet in packets(made, "video")] == frame_times(source)


def test_audio_packets_are_copied_unchanged(source: Path, tmp_path: Path) -> None:
    ours, theirs = packets(video_of(source, tmp_path / "out"), "audio"), packets(source, "audio")
    header = 7 if source.suffix == ".ts" else 0  # of every packet, in streams alone
    assert [one.data for one in ours] == [one.data[header:] for one in theirs]
    tick = Fraction(1, 44100)  # the only times that MP4 knows for sound
    assert all(abs(a.time - b.time) <= tick for a, b in zip(ours, theirs, strict=True))
    assert bool(ours) == (source.name != "mute.mov")


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4")
    whole = video_of(source, tmp_path / "a").read_bytes()
    assert video_of(source, tmp_path / "b", stumble=True).read_bytes() == whole


def test_masks_are_drawn_and_odd_sizes_are_padded(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4")
    write_overlay_video(VideoSink(OutputFolder(tmp_path / "out")), source, frame_records())
    with av.open(str(tmp_path / "out" / "video" / "film.mp4")) as container:
        made = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for pixels, frame in zip(made, read_video(source, FrameRange()), strict=True):
        assert pixels.shape == (46, 62, 3)
        drawn = draw_overlay(frame, frame_records()).astype(int)
        assert np.abs(pixels[:45, :61] - drawn).mean() < 12
        assert np.abs(drawn - frame.pixels).mean() > 15
        assert np.abs(pixels[45].astype(int) - pixels[44]).mean() < 12


def test_colors_equal_those_of_the_frames(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4", VideoSpec(**EVEN, sound=None, frames=2))
    sink, item = VideoSink(OutputFolder(tmp_path / "out")), video_item(source)
    colors = np.zeros((48, 64, 3), np.uint8)
    colors[:, :16], colors[:, 16:32], colors[:, 32:48] = (
        (220, 30, 40),
        (20, 200, 60),
        (30, 50, 210),
    )
    sink.write(Frame(colors, str(source), 0, 0.0), item, 0, [])
    sink.end_chunk(item, 0)
    sink.end_item(item, 1)
    with av.open(str(tmp_path / "out" / "video" / "film.mp4")) as container:
        made = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(made[24, 8:64:16].astype(int) - colors[24, 8:64:16]).max() < 8


@pytest.mark.parametrize(
    "clip", [FrameRange(stride=3), FrameRange(stride=3, max_frames=2), FrameRange(stride=40)]
)
def test_with_a_stride_each_frame_keeps_its_timestamp(clip: FrameRange, tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4")
    made = video_of(source, tmp_path / "out", clip=clip)
    assert frame_times(made) == frame_times(source)[:: clip.stride][: clip.max_frames]
    if clip.max_frames is None and clip.stride == 3:
        assert packets(made, "audio") == packets(source, "audio")


def test_a_frame_range_keeps_only_its_audio(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4")
    made = video_of(source, tmp_path / "out", clip=FrameRange(start=0.2, end=0.5))
    heard = packets(made, "audio")
    assert heard == [
        one for one in packets(source, "audio") if heard[0].time <= one.time <= heard[-1].time
    ]
    times = frame_times(made)
    assert 0 < times[0] - heard[0].time < 0.03
    assert abs(heard[-1].time - times[-1]) < 0.1


def test_audio_that_mp4_cannot_hold_is_left_out(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mkv", VideoSpec(sound="pcm_s16le"))
    made = video_of(source, tmp_path / "out")
    assert packets(made, "audio") == []
    assert frame_times(made) == frame_times(source)


def test_a_frame_of_another_size_is_scaled(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4", VideoSpec(**EVEN, sound=None, frames=2))
    sink, item = VideoSink(OutputFolder(tmp_path / "out")), video_item(source)
    for index, height in enumerate((48, 31)):
        pixels = np.full((height, 50 + index, 3), 200, np.uint8)
        sink.write(Frame(pixels, str(source), index, index / 25), item, 0, [])
    sink.end_chunk(item, 0)
    sink.end_item(item, 1)
    with av.open(str(tmp_path / "out" / "video" / "film.mp4")) as container:
        sizes = [(frame.height, frame.width) for frame in container.decode(video=0)]
    assert sizes == [(48, 64)] * 2


def test_frames_with_equal_timestamps_are_one_tick_apart(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mp4", VideoSpec(**EVEN, sound=None))
    sink, item = VideoSink(OutputFolder(tmp_path / "out")), video_item(source)
    pixels = np.zeros((48, 64, 3), np.uint8)
    for chunk, times in enumerate([(0.0, 0.1, 0.1), (0.1, 0.2)]):
        for time in times:
            sink.write(Frame(pixels, str(source), 0, time), item, chunk, [])
        sink.end_chunk(item, chunk)
    sink.end_item(item, 2)
    times = frame_times(tmp_path / "out" / "video" / "film.mp4")
    assert len(times) == 5 and times == sorted(set(times))
    assert float(times[-1]) == pytest.approx(0.2, abs=0.001)


def test_images_produce_no_video(folder: OutputFolder, frame: Frame, item: Item) -> None:
    sink = VideoSink(folder)
    sink.write(frame, item, 0, [])
    sink.end_chunk(item, 0)
    sink.end_item(item, 1)
    sink.remove_chunks(item)
    assert not folder.root.exists()


def test_segments_survive_a_restart_until_removed(tmp_path: Path) -> None:
    source, folder = write_video(tmp_path / "film.mp4"), OutputFolder(tmp_path / "out")
    item, segment_folder = video_item(source), folder.root / ".vlseg" / "video"
    frames = list(read_video(source, FrameRange()))
    for chunk in (0, 1):
        sink = VideoSink(folder)  # another process each time
        for frame in frames[10 * chunk : 10 * chunk + 10]:
            sink.write(frame, item, chunk, [])
        sink.end_chunk(item, chunk)
        assert len(list(segment_folder.iterdir())) == chunk + 1
    VideoSink(folder).end_item(item, 3)  # the third part ended before its first frame
    assert frame_times(folder.root / "video" / "film.mp4") == frame_times(source)
    VideoSink(folder).remove_chunks(item)
    assert not segment_folder.exists()
    assert [path.name for path in folder.root.iterdir()] == ["video"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_missing_or_damaged_segment_is_a_one_line_error(damage, tmp_path: Path) -> None:
    source, folder = write_video(tmp_path / "film.mp4"), OutputFolder(tmp_path / "out")
    sink, item = VideoSink(folder), video_item(source)
    for chunk, frame in enumerate(list(read_video(source, FrameRange()))[:3]):
        sink.write(frame, item, chunk, [])
        sink.end_chunk(item, chunk)
    damage(folder.root / ".vlseg" / "video" / "000003-1.nut")
    with pytest.raises(OutputError, match="--overwrite"):
        sink.end_item(item, 3)
    assert list((folder.root / "video").glob("*")) == []


def test_incompatible_segments_are_not_joined(tmp_path: Path) -> None:
    folder, item = OutputFolder(tmp_path / "out"), video_item(tmp_path / "film.mp4")
    for chunk, width in enumerate((64, 96)):
        source = write_video(tmp_path / "film.mp4", VideoSpec(width=width, height=48, sound=None))
        sink = VideoSink(folder)
        sink.write(next(read_video(source, FrameRange())), item, chunk, [])
        sink.end_chunk(item, chunk)
    with pytest.raises(OutputError, match="another encoder"):
        sink.end_item(item, 2)


def test_a_full_disk_is_a_one_line_error_and_leaves_no_file(tmp_path: Path) -> None:
    """A file size limit simulates a full disk: writing fails in the same way."""
    source = write_video(tmp_path / "film.mp4", VideoSpec(**EVEN))
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from vlseg_cli.media.video import read_video\n"
        "from vlseg_cli.outputs.folder import OutputFolder\n"
        "from vlseg_cli.outputs.video import VideoSink\n"
        "from vlseg_cli.schema import FrameRange, Item, OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "limit = int(sys.argv[3])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "sink = VideoSink(OutputFolder(Path(sys.argv[2])))\n"
        "item = Item(0, sys.argv[1], 'film', True, 1, 1)\n"
        "try:\n"
        "    for frame in read_video(Path(sys.argv[1]), FrameRange()):\n"
        "        sink.write(frame, item, 0, [])\n"
        "    sink.end_chunk(item, 0)\n"
        "    sink.end_item(item, 1)\n"
        "except OutputError as error:\n"
        "    sink.abandon()\n"
        "    print(error)\n"
    )
    left = []
    for limit in (700, 4000):  # too little for the segment; too little for sound, too
        out = tmp_path / str(limit)
        done = subprocess.run(
            [sys.executable, "-c", program, source, out, str(limit)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "cannot be written (file too large)" in done.stdout
        left.append([path.name for path in sorted(out.rglob("*")) if path.is_file()])
    assert left == [[], ["000000-0.nut"]]


def test_damaged_audio_does_not_prevent_the_video(tmp_path: Path) -> None:
    source = write_video(tmp_path / "film.mkv", VideoSpec(sound="ac3"))
    whole = packets(video_of(source, tmp_path / "a"), "audio")
    damaged, data = packets(source, "audio")[5].data, source.read_bytes()
    assert whole and data.count(damaged) == 1
    source.write_bytes(data.replace(damaged, bytes(len(damaged))))
    made = video_of(source, tmp_path / "b")
    assert frame_times(made) == frame_times(source)
    assert len(packets(made, "audio")) < len(whole)


def test_the_fallback_encoder_makes_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_video(tmp_path / "film.mp4")
    encoder.encoder_options.cache_clear()
    monkeypatch.setattr(encoder, "_ENCODERS", {"libvpx-vp9": encoder._ENCODERS["libvpx-vp9"]})
    try:
        made = video_of(source, tmp_path / "out")
    finally:
        encoder.encoder_options.cache_clear()
    assert frame_times(made) == frame_times(source)
    assert packets(made, "audio") == packets(source, "audio")
