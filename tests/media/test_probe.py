"""Probing a file reports what reading it returns."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media.video_files import KINDS, numbered_image, write_numbered_video
from PIL import Image

from vlseg_cli.media.limits import Limits
from vlseg_cli.media.probe import Probe, probe
from vlseg_cli.schema import InputError


def test_an_image_is_probed_by_its_header(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.zeros((300, 400, 3), np.uint8)).save(path, exif=exif)
    path.write_bytes(path.read_bytes()[:1200])
    assert probe(path) == Probe("image", 300, 400, "jpeg")


@pytest.mark.parametrize("name", KINDS)
def test_a_video_is_probed_by_its_header_and_first_frame(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    found = probe(write_numbered_video(tmp_path / f"film.{kind.suffix}", 50, kind))
    assert (found.kind, found.width, found.height) == ("video", 64, 64)
    assert found.fps == 25
    assert found.seconds == pytest.approx(2, rel=0.5)  # program streams only guess
    assert found.frames == pytest.approx(50, rel=0.5)
    assert found.codec == {
        "h264-10": "h264",
        "hevc-10": "hevc",
        "gray": "ffv1",
        "alpha": "qtrle",
        "broadcast": "h264",
        "program": "mpeg2video",
    }.get(name, name)
    assert not found.has_audio


def test_rotation_start_time_and_audio_are_reported(tmp_path: Path) -> None:
    images = [numbered_image(n, 64, 96) for n in range(4)]
    base = Fraction(1, 1000)
    path = tmp_path / "film.mkv"
    write_numbered_video(path, images, pts=[700, 710, 800, 900], time_base=base)
    assert probe(path).first_pts == 700
    assert probe(path).time_base == base
    write_numbered_video(tmp_path / "film.mp4", images, turn=90)
    turned = probe(tmp_path / "film.mp4")
    assert (turned.width, turned.height, turned.rotation) == (64, 96, 90)
    with av.open(str(path), "w") as container:
        video, sound = (
            container.add_stream("mpeg4", rate=25),
            container.add_stream("aac", rate=8000),
        )
        video.width = video.height = 64
        container.mux(video.encode(av.VideoFrame.from_ndarray(images[0][:64])))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        container.mux([*sound.encode(silence), *sound.encode(None), *video.encode(None)])
    assert probe(path).has_audio


def test_unreadable_files_cannot_be_probed(tmp_path: Path) -> None:
    for name in ("text.png", "text.mp4", "text"):
        (tmp_path / name).write_text("neither")
        with pytest.raises(InputError):
            probe(tmp_path / name)
    path = write_numbered_video(tmp_path / "film.mp4", 2)
    with pytest.raises(InputError, match="million pixels"):
        probe(path, Limits(pixels=1000))
