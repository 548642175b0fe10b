"""Damaged files of every kind: no crash, no hang, each reported once with a reason."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs.media_files import write_film, write_photos
from jobs.stub import RecordingProgress, run_stub
from PIL import Image

from vlseg_cli.jobs import job_status
from vlseg_cli.media import list_inputs
from vlseg_cli.schema import VlsegError
from vlseg_cli.training.recipe import load_recipe

_BATCH = 250  # files to a job


def mutate(data: bytes, random_: random.Random) -> bytes:
    """Cut, flip, overwrite, repeat or insert somewhere."""
    data = bytearray(data)
    for _ in range(random_.choice((1, 1, 2, 8))):
        position = random_.randrange(len(data) + 1)
        length = random_.choice((1, 4, 64, 1000))
        match random_.randrange(5):
            case 0:
                del data[position:]
            case 1:
                for index in range(position, min(position + length, len(data))):
                    data[index] ^= 1 << random_.randrange(8)
            case 2:
                data[position : position + length] = random_.randbytes(length)
            case 3:
                data[position:position] = data[position : position + length]
            case 4:
                del data[position : position + length]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def _originals(folder: Path) -> list[Path]:
    """One small file of each kind that is read."""
    image = Image.open(write_photos(folder / "photos", 1) / "000.png")
    found = []
    for extension in ("png", "jpg", "webp", "bmp", "tif", "gif", "ppm", "jp2", "avif"):
        path = folder / f"picture.{extension}"
        image.save(path)
        found.append(path)
    return found + [write_film(folder / f"film.{kind}", 6) for kind in ("mp4", "mkv", "avi")]


def test_damaged_images_and_videos_are_each_reported_once(tmp_path: Path, mutants: int) -> None:
    random_ = random.Random(1)
    originals = _originals(tmp_path)
    left = mutants
    while left:
        count = min(left, _BATCH)
        left -= count
        folder = tmp_path / f"mutants-{left}"
        folder.mkdir()
        for number in range(count):
            original = originals[number % len(originals)]
            path = folder / f"{number:05d}{original.suffix}"
            path.write_bytes(mutate(original.read_bytes(), random_))
        progress = RecordingProgress()
        summary = run_stub(folder / "out", [folder], formats=("jsonl",), progress=progress)
        assert summary.finished
        assert len(progress.done) == len({source for source, _ in progress.done}) == count
        failures = folder / "out" / "failures.jsonl"
        listed = [json.loads(line) for line in failures.read_text().splitlines()]
        assert sorted(row["input"] for row in listed) == sorted(summary.failed)
        for row in listed:
            assert row["error"].endswith((".", "?")), row
            assert "Traceback" not in row["error"]


def _survives(read: Callable[[], object]) -> None:
    """Either it is read, or refused in one sentence."""
    try:
        read()
    except VlsegError as error:
        assert str(error)
        assert "\n" not in str(error)


def test_damaged_lists_are_read_or_refused(tmp_path: Path, mutants: int) -> None:
    random_ = random.Random(2)
    photos = sorted(write_photos(tmp_path / "photos", 5).iterdir())
    original = "\n".join(map(str, photos)).encode()
    path = tmp_path / "list.txt"
    for _ in range(mutants // 5):
        path.write_bytes(mutate(original, random_))
        _survives(lambda: list(list_inputs([str(path)])))


def test_damaged_recipes_are_read_or_refused(tmp_path: Path, mutants: int) -> None:
    random_ = random.Random(3)
    original = (Path(__file__).parents[2] / "recipes" / "embedded.toml").read_bytes()
    path = tmp_path / "recipe.toml"
    for _ in range(mutants // 5):
        path.write_bytes(mutate(original, random_))
        _survives(lambda: load_recipe(path))


@pytest.mark.parametrize("name", ["job.json", "journal.jsonl"])
def test_damaged_job_files_are_read_or_refused(name: str, tmp_path: Path, mutants: int) -> None:
    random_ = random.Random(4)
    photos = write_photos(tmp_path / "photos", 3)
    out = tmp_path / "out"
    run_stub(out, [photos])
    original = (out / name).read_bytes()
    for _ in range(mutants // 10):
        (out / name).write_bytes(mutate(original, random_))
        _survives(lambda: job_status(out))
        _survives(lambda: run_stub(out, [photos], overwrite=random_.random() < 0.1))
