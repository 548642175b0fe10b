"""Whatever its name or content, opening a video touches that one file and nothing else."""

import os
from pathlib import Path

import pytest
from media.films import KINDS, number_of, write_film

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
def test_addresses_and_what_is_no_file_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "film.mkv", 3)
    with pytest.raises(InputError):
        list(read_video(Path(name), FrameRange()))


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(InputError, match="not a regular file"):
        list(read_video(tmp_path / "film.mp4", FrameRange()))


@pytest.mark.parametrize("name", ["concat:a|b.mp4", "http:a.mp4", "a\nb.mp4", "%03d.mp4", "a.m3u8"])
def test_a_file_of_a_strange_name_is_just_that_file(name: str, tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", 3).rename(tmp_path / name)
    assert [number_of(frame.pixels) for frame in read_video(path, FrameRange())] == [0, 1, 2]


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {film}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "images": "{film}",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "sdp", "mpd"])
def test_playlists_are_refused_whatever_they_are_called(
    kind: str, suffix: str, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.ts", 10, KINDS["broadcast"])
    path = tmp_path / f"list.{suffix}"
    path.write_text(PLAYLISTS[kind].format(film=film.name))
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
    path = write_film(tmp_path / "film.mp4", 3)
    with pytest.raises(InputError, match=word):
        list(read_video(path, FrameRange(), limits=limits))


def test_an_empty_file_and_text_say_so(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a film")
    with pytest.raises(InputError, match="is empty"):
        list(read_video(tmp_path / "empty.mp4", FrameRange()))
    with pytest.raises(InputError, match="not a video in a format"):
        list(read_video(tmp_path / "text.mp4", FrameRange()))
