"""Every missing byte is noticed where a format tells its length, and no whole file is suspected."""

from pathlib import Path

import av
import pytest
from media.films import KINDS, picture, write_film

from vlseg_cli.media.truncation import is_truncated


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"program"}))
def test_a_whole_file_is_whole_and_a_part_of_it_is_not(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = write_film(tmp_path / f"film.{kind.suffix}", 30, kind)
    assert not is_truncated(path)
    data = path.read_bytes()
    for length in (len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        path.write_bytes(data[: length // 4 * 4 + 1])
        assert is_truncated(path), length


def test_fragments_are_followed_to_the_last(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "5"})
        stream.width = stream.height = 64
        for number in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number))))
        container.mux(stream.encode(None))
    assert not is_truncated(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert is_truncated(path)


def test_a_length_that_was_never_written_suspects_nothing(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w", options={"live": "1"}) as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(1))))
    assert not is_truncated(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert not is_truncated(path)


def test_other_files_are_never_suspected(tmp_path: Path) -> None:
    assert not is_truncated(tmp_path / "missing")
    path = tmp_path / "file"
    for start in (
        b"",
        b"\x1a\x45\xdf\xa3",
        b"RIFF",
        b"GIF89a",
        b"G" * 100,
        b"\0\0\0\1ftyp",
        b"text",
    ):
        path.write_bytes(start)
        is_truncated(path)  # whatever it says, it says
    path.write_bytes(b"text" * 1000)
    assert not is_truncated(path)
