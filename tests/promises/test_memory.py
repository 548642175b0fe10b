"""Memory does not grow with the length of a video or the number of files."""

from collections.abc import Callable
from pathlib import Path

from jobs.media_files import write_photos
from promises.films import repeat_film, write_stream
from promises.measured import MB, finish_measured, slope_of, start_measured


def test_a_long_stream_takes_constant_memory(
    tmp_path: Path,
    stream_frames: int,
    full_size: bool,
    record_property: Callable[[str, object], None],
) -> None:
    width, height = (1920, 1080) if full_size else (320, 180)
    once = write_stream(tmp_path / "once.mp4", 250, width, height)
    film = repeat_film(once, tmp_path / "long.mp4", stream_frames)
    samples = finish_measured(start_measured(tmp_path / "out", "video", film, stream_frames))
    slope, growth = slope_of(samples), (max(b for _, b in samples) - samples[0][1]) / MB
    record_property("MB per 1,000 frames", round(slope, 4))
    record_property("peak above start, MB", round(growth))
    assert samples[-1][0] > 0.9 * stream_frames
    assert sum(1 for _ in (tmp_path / "out/records.jsonl").open()) == stream_frames
    assert slope < 1
    assert growth < 1500


def test_many_files_take_constant_memory(
    tmp_path: Path, full_size: bool, record_property: Callable[[str, object], None]
) -> None:
    count = 20_000 if full_size else 1_500
    one = write_photos(tmp_path / "one", 1) / "000.png"
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(count):
        (photos / f"{number:06d}.png").hardlink_to(one)
    samples = finish_measured(start_measured(tmp_path / "out", "photos", photos, count))
    record_property("MB per 1,000 files", round(slope_of(samples), 4))
    assert samples[-1][0] == count
    assert slope_of(samples) < 1
