"""Images and videos are distinguished by extension, else by content."""

import os
from pathlib import Path

import pytest
from media.video_files import KINDS, write_numbered_video
from PIL import Image

from vlseg_cli.media.formats import is_video


@pytest.mark.parametrize("name", sorted(KINDS))
def test_videos_are_recognized_by_content(name: str, tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / f"film.{KINDS[name].suffix}", 10, KINDS[name])
    assert is_video(path)
    assert is_video(path.rename(tmp_path / "film"))


@pytest.mark.parametrize(
    "name", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "ICO", "JPEG2000", "TGA"]
)
def test_images_are_not_videos(name: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (40, 40)).save(path, name)
    assert not is_video(path)


@pytest.mark.parametrize(("suffix", "expected"), [("gif", True), ("png", False), ("webp", False)])
def test_only_gif_animations_are_videos(suffix: str, expected: bool, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 7), color) for color in ("red", "blue")]
    path = tmp_path / f"moving.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert is_video(path) == expected
    assert is_video(path.rename(tmp_path / "moving")) == expected


def test_a_missing_path_or_a_pipe_is_classified_by_its_extension(tmp_path: Path) -> None:
    assert is_video(tmp_path / "missing.MP4")
    assert not is_video(tmp_path / "missing.gif")
    assert not is_video(tmp_path / "missing")
    assert not is_video(Path("\0"))
    os.mkfifo(tmp_path / "pipe")
    assert not is_video(tmp_path / "pipe")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a broken")
    assert not is_video(tmp_path / "broken.gif")
