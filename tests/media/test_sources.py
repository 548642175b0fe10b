"""Whatever a user writes leads to each file once, in order; what leads nowhere says so."""

import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vlseg_cli.media.sources import list_inputs, list_lines, stdin_lines
from vlseg_cli.schema import Input, NoInputError


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of (empty) files; finding them opens none."""
    for name in ["b.png", "a.JPG", "deep/er/c.webp", "notes.txt", ".hidden.png", ".git/d.png"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*texts: str, exclude: Path | None = None) -> list[str]:
    return [one.source for one in list_inputs(texts, exclude)]


def names(*texts: str, exclude: Path | None = None) -> list[str]:
    return [Path(source).name for source in found(*texts, exclude=exclude)]


def test_a_folder_is_searched_to_its_ground_in_sorted_order(pictures: Path) -> None:
    for name in ("able.png", "deep.png", "deep/clip.MKV", "deep/.cache/x.png"):
        (pictures / name).parent.mkdir(exist_ok=True)
        (pictures / name).touch()
    expected = ["a.JPG", "able.png", "b.png", "deep/clip.MKV", "deep/er/c.webp", "deep.png"]
    assert found(".") == expected
    assert found(str(pictures)) == sorted((str(pictures / name) for name in expected), key=Path)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["b.png"]),
        ("**/*.webp", ["c.webp"]),
        ("de*", ["c.webp"]),
        ("?.*", ["a.JPG", "b.png"]),
    ],
)
def test_patterns_match_files_and_folders(
    pictures: Path, pattern: str, expected: list[str]
) -> None:
    assert names(pattern) == expected
    assert names(str(pictures / pattern)) == expected


def test_each_file_comes_once_in_order_of_first_mention(pictures: Path) -> None:
    (pictures / "link.png").symlink_to("b.png")
    (pictures / "list.txt").write_text("b.png\ndeep/er/c.webp\n")
    texts = ("b.png", "list.txt", ".", "./b.png", str(pictures / "a.JPG"), "link.png", "*.png")
    assert names(*texts) == ["b.png", "c.webp", "a.JPG"]


def test_paths_stay_as_the_user_wrote_them(pictures: Path) -> None:
    assert found("deep", "b.png") == ["deep/er/c.webp", "b.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(pictures: Path) -> None:
    (pictures / "x[1].png").touch()
    assert found("x[1].png") == ["x[1].png"]


def test_size_time_and_kind_are_those_of_the_file(pictures: Path) -> None:
    Image.new("RGB", (3, 3)).save("plain.gif")
    frames = [Image.new("L", (3, 3), shade) for shade in (0, 255)]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:])
    Path("clip.mp4").write_bytes(bytes(123))
    os.utime("clip.mp4", ns=(5, 1_234_567_890_123_456_789))
    by_name = {one.source: one for one in list_inputs(["."])}
    assert by_name["clip.mp4"] == Input("clip.mp4", True, 123, 1_234_567_890_123_456_789)
    assert by_name["moving.gif"].is_video
    assert not by_name["plain.gif"].is_video
    assert not by_name["b.png"].is_video


def test_a_named_file_needs_no_usual_extension(pictures: Path) -> None:
    Path("picture").touch()
    Path("film.bin").write_bytes(bytes(4) + b"ftypisom" + bytes(20))
    assert [(one.source, one.is_video) for one in list_inputs(["picture", "film.bin"])] == [
        ("picture", False),
        ("film.bin", True),
    ]


def test_earlier_results_are_not_taken_for_inputs(pictures: Path) -> None:
    out = pictures / "out"
    (out / "deep").mkdir(parents=True)
    (out / "overlay.png").touch()
    (out / "deep" / "overlay.png").touch()
    for text in (".", "**/*.png", str(pictures), "./"):
        assert "overlay.png" not in names(text, exclude=out)
    for text in ("out", "out*/*"):
        with pytest.raises(NoInputError):
            found(text, exclude=Path("out"))
    assert found("out/overlay.png", exclude=Path("out")) == ["out/overlay.png"]


def test_linked_folders_do_not_loop(pictures: Path) -> None:
    (pictures / "deep" / "loop").symlink_to(pictures)
    assert names("deep") == ["c.webp"]


@pytest.mark.parametrize(
    "text", ["", "nothing.png", "no/such/file", "*.tiff", "\0.png", "x" * 9999, "http://a/b.png"]
)
def test_what_leads_nowhere_is_no_input(pictures: Path, text: str) -> None:
    with pytest.raises(NoInputError):
        found("b.png", text)


def test_an_empty_folder_and_an_empty_list_are_no_input(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# nothing\n\n")
    for path in (tmp_path, tmp_path / "list.txt"):
        with pytest.raises(NoInputError, match="no images or videos in"):
            found(str(path))


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name(pictures: Path) -> None:
    (pictures / "kitchen.png").touch()
    with pytest.raises(NoInputError, match=r"did you mean 'kitchen\.png'\?"):
        found("kitchn.png")


def test_a_list_names_files_folders_and_what_is_not_there(pictures: Path) -> None:
    Path("list.LST").write_text("# photos\ndeep\nmissing.png\nb.png\nlost/clip.mp4\n")
    listed = list(list_inputs(["list.LST"]))
    assert [one.source for one in listed] == [
        "deep/er/c.webp",
        "missing.png",
        "b.png",
        "lost/clip.mp4",
    ]
    assert [one.bytes for one in listed] == [0, -1, 0, -1]
    assert [one.is_video for one in listed] == [False, False, False, True]


@pytest.mark.parametrize(("nul", "end"), [(False, b"\n"), (True, b"\0")])
def test_a_dash_stands_for_stdin(
    nul: bool, end: bytes, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.TextIOWrapper(io.BytesIO(end.join([b"b.png", b"", b"#1.png", b"a.JPG"])))
    monkeypatch.setattr(sys, "stdin", said)
    listed = list(list_inputs(["-"], nul=nul))
    assert [one.source for one in listed] == ["b.png", "#1.png", "a.JPG"]
    assert listed[1].bytes == -1


def test_files_are_found_one_at_a_time(pictures: Path) -> None:
    Path("list.txt").write_text("b.png\n" + "missing.png\n" * 1000)
    listing = list_inputs(["a.JPG", "nothing.png"])
    assert next(listing).source == "a.JPG"
    with pytest.raises(NoInputError):
        next(listing)


def test_a_line_that_can_be_no_name_is_an_input_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("x" * 5000 + "\n")
    (found,) = list_inputs([str(tmp_path / "list.txt")])
    assert (found.source, found.bytes, found.is_video) == ("x" * 5000, -1, False)


def test_blank_lines_comments_and_foreign_line_ends_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa.png\r\n\r\n  \n# comment\n b c.png\nlast#.png")
    assert list(list_lines(path)) == ["a.png", " b c.png", "last#.png"]


def test_paths_mean_the_working_folder_or_else_the_list_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, own = tmp_path / "work", tmp_path / "own"
    for folder, name in ((work, "both.png"), (own, "both.png"), (own, "beside.png")):
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
    monkeypatch.chdir(work)
    (own / "list.txt").write_text("both.png\nbeside.png\nnowhere.png\n")
    assert list(list_lines(Path("../own/list.txt"))) == [
        "both.png",
        "../own/beside.png",
        "nowhere.png",
    ]


def test_any_file_name_survives_a_nul_list() -> None:
    names = ["two\nlines.png", " blank ", "#1", os.fsdecode(b"\xff\xfe.png"), "\r"]
    data = b"".join(os.fsencode(name) + b"\0" for name in names)
    assert list(stdin_lines(io.BytesIO(data), nul=True)) == names


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.text("ab é/.", min_size=1, max_size=9).filter(str.strip), max_size=40))
def test_lines_come_back_whatever_the_chunks(names: list[str]) -> None:
    padded = [name + "x" * 5000 for name in names]  # several chunks
    data = "\n".join(padded).encode()
    assert list(stdin_lines(io.BytesIO(data), nul=False)) == padded


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"x" * 200_000)
    with pytest.raises(NoInputError, match="longer than any path"):
        list(list_lines(path))
    with pytest.raises(NoInputError, match="cannot be read"):
        list(list_lines(tmp_path / "missing.txt"))
