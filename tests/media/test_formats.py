"""Pictures and videos are told apart by name, or by content where the name says nothing."""

import os
from pathlib import Path

import pytest
from media.films import KINDS, write_film
from PIL import Image

from vlseg_cli.media.formats import is_video


@pytest.mark.parametrize("name", sorted(KINDS))
def test_videos_are_known_by_their_content(name: str, tmp_path: Path) -> None:
    path = write_film(tmp_path / f"film.{KINDS[name].suffix}", 10, KINDS[name])
    assert is_video(path)
    assert is_video(path.rename(tmp_path / "film"))


@pytest.mark.parametrize(
    "name", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "ICO", "JPEG2000", "TGA"]
)
def test_pictures_are_no_videos(name: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (40, 40)).save(path, name)
    assert not is_video(path)


@pytest.mark.parametrize(("suffix", "expected"), [("gif", True), ("png", False), ("webp", False)])
def test_of_animations_only_gif_is_a_video(suffix: str, expected: bool, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 7), color) for color in ("red", "blue")]
    path = tmp_path / f"moving.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert is_video(path) == expected
    assert is_video(path.rename(tmp_path / "moving")) == expected


def test_what_is_not_there_or_no_file_is_told_by_its_name(tmp_path: Path) -> None:
    assert is_video(tmp_path / "missing.MP4")
    assert not is_video(tmp_path / "missing.gif")
    assert not is_video(tmp_path / "missing")
    assert not is_video(Path("\0"))
    os.mkfifo(tmp_path / "pipe")
    assert not is_video(tmp_path / "pipe")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a broken")
    assert not is_video(tmp_path / "broken.gif")
