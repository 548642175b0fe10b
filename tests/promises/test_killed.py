"""A job that is killed at any moment and started again leaves the bytes of an undisturbed one."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from jobs.media_files import tree, write_film, write_photos
from jobs.process import finish, start


def _seconds_of(run: Callable[[], None]) -> float:
    start = time.monotonic()
    run()
    return time.monotonic() - start


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), 16)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    write_film(folder / "one.mp4", 21)
    write_film(folder / "two.mp4", 9)
    return folder


@pytest.mark.parametrize(
    ("kind", "formats", "ranks", "how"),
    [
        ("photos", "coco,overlay", 1, ()),
        ("films", "coco,video", 1, ()),
        ("films", "ytvis,palette,video", 1, ("--track",)),
        ("photos", "coco,overlay", 2, ()),
    ],
)
def test_killed_and_resumed_is_as_if_never_killed(
    kind: str,
    formats: str,
    ranks: int,
    how: tuple[str, ...],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    kill_points: int,
) -> None:
    inputs: Path = request.getfixturevalue(kind)
    options: Sequence[str] = ("--save", formats, *how)
    whole = tmp_path / "whole"
    seconds = _seconds_of(lambda: finish(start(whole, inputs, *options)))
    expected = tree(whole)
    moments, kills, trial = random.Random(ranks), 0, 0
    while kills < kill_points:
        out = tmp_path / f"out-{trial}"
        for _ in range(4):
            processes = [start(out, inputs, *options) for _ in range(ranks)]
            time.sleep(moments.uniform(0.1, 1.0) * seconds)
            kills += 1
            for process in processes:
                process.kill()
                process.communicate()
        for process in [start(out, inputs, *options) for _ in range(ranks)]:
            finish(process)
        assert tree(out) == expected, f"trial {trial}"
        trial += 1
