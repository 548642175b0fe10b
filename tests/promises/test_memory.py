"""Memory does not grow with the length of a video or the number of files."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from jobs.media_files import write_photos

HERE = Path(__file__).parent
MB = 1 << 20


def _slope(samples: list[tuple[int, int]]) -> float:
    """MB per thousand frames, least squares over the second half, when all caches are warm."""
    import numpy as np

    counts, sizes = np.asarray(samples[len(samples) // 2 :], float).T
    return float(np.polyfit(counts, sizes, 1)[0]) * 1000 / MB


def _measured(*arguments: str) -> list[tuple[int, int]]:
    done = subprocess.run(
        [sys.executable, str(HERE / "stream.py"), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return [(int(a), int(b)) for a, b in (line.split() for line in done.stdout.splitlines())]


def test_a_long_stream_takes_constant_memory(
    tmp_path: Path,
    stream_frames: int,
    full_size: bool,
    record_property: Callable[[str, object], None],
) -> None:
    width, height = (1920, 1080) if full_size else (320, 180)
    samples = _measured(str(tmp_path), "video", str(stream_frames), str(width), str(height))
    slope, growth = _slope(samples), (max(b for _, b in samples) - samples[0][1]) / MB
    record_property("MB per 1,000 frames", round(slope, 4))
    record_property("peak above start, MB", round(growth))
    assert samples[-1][0] > 0.9 * stream_frames  # the program itself has counted them all
    assert slope < 1
    assert growth < 1500


def test_a_long_video_is_tracked_in_constant_memory(tmp_path: Path, full_size: bool) -> None:
    """In full with the embedded model, else with one that costs nothing."""
    frames, model = (20_000, "embedded") if full_size else (1_000, "stub")
    samples = _measured(str(tmp_path), "track", str(frames), "192", "144", model)
    assert samples[-1][0] == frames
    assert _slope(samples) < 1
    with (tmp_path / "out" / "records.jsonl").open() as records:
        assert sum(1 for _ in records) == 3 * frames


def test_many_files_take_constant_memory(tmp_path: Path, full_size: bool) -> None:
    count = 20_000 if full_size else 1_500
    one = write_photos(tmp_path / "one", 1) / "000.png"
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(count):
        (photos / f"{number:06d}.png").hardlink_to(one)
    samples = _measured(str(tmp_path), "photos", str(photos))
    assert samples[-1][0] == count
    assert _slope(samples) < 1
