"""Only the named file is opened; truncated files are detected, complete ones never rejected."""

import os
from pathlib import Path

import av
import pytest
from media.video_files import KINDS, number_of, numbered_image, write_numbered_video

from vlseg_cli.media.container import is_truncated
from vlseg_cli.media.limits import Limits
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import FrameRange, InputError


@pytest.mark.parametrize(
    "name",
    [
        "http://127.0.0.1:9/film.mp4",
        "concat:film.mkv|film.mkv",
        "subfile,,start,0,end,0,,:film.mkv",
        "file:film.mkv",
        "pipe:0",
        "data:video/mp4;base64,AAAA",
        "film.mkv\0",
        "",
        ".",
        "/dev/zero",
        "x" * 5000,
    ],
)
def test_urls_and_other_protocols_are_rejected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_numbered_video(tmp_path / "film.mkv", 3)
    with pytest.raises(InputError):
        list(read_video(Path(name), FrameRange()))


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(InputError, match="not a regular file"):
        list(read_video(tmp_path / "film.mp4", FrameRange()))


@pytest.mark.parametrize("name", ["concat:a|b.mp4", "http:a.mp4", "a\nb.mp4", "%03d.mp4", "a.m3u8"])
def test_a_file_name_like_a_protocol_is_a_plain_file(name: str, tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mp4", 3).rename(tmp_path / name)
    assert [number_of(frame.pixels) for frame in read_video(path, FrameRange())] == [0, 1, 2]


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{video_path}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {video_path}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "images": "{video_path}",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "sdp", "mpd"])
def test_playlists_are_rejected_under_any_extension(kind: str, suffix: str, tmp_path: Path) -> None:
    video_path = write_numbered_video(tmp_path / "film.ts", 10, KINDS["broadcast"])
    path = tmp_path / f"list.{suffix}"
    path.write_text(PLAYLISTS[kind].format(video_path=video_path.name))
    with pytest.raises(InputError, match="not a video in a format that vlseg reads"):
        list(read_video(path, FrameRange()))


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(pixels=4000), "million pixels"),
        (Limits(side=63), "63 px a side"),
        (Limits(video_bytes=99), "MB"),
    ],
)
def test_limits_are_named_in_the_error(limits: Limits, word: str, tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "film.mp4", 3)
    with pytest.raises(InputError, match=word):
        list(read_video(path, FrameRange(), limits=limits))


def test_empty_and_text_files_are_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a film")
    with pytest.raises(InputError, match="is empty"):
        list(read_video(tmp_path / "empty.mp4", FrameRange()))
    with pytest.raises(InputError, match="not a video in a format"):
        list(read_video(tmp_path / "text.mp4", FrameRange()))


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"program"}))
def test_truncation_is_detected_in_every_format(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = write_numbered_video(tmp_path / f"film.{kind.suffix}", 30, kind)
    assert not is_truncated(path)
    data = path.read_bytes()
    for length in (len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        path.write_bytes(data[: length // 4 * 4 + 1])
        assert is_truncated(path), length


def test_fragmented_files_are_checked_to_the_last_fragment(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "5"})
        stream.width = stream.height = 64
        for number in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(number))))
        container.mux(stream.encode(None))
    assert not is_truncated(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert is_truncated(path)


def test_an_unknown_length_is_not_reported_as_truncated(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w", options={"live": "1"}) as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(1))))
    assert not is_truncated(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert not is_truncated(path)


def test_other_files_are_never_reported_as_truncated(tmp_path: Path) -> None:
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
        is_truncated(path)  # either result is valid
    path.write_bytes(b"text" * 1000)
    assert not is_truncated(path)
