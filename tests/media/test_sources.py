"""Input arguments expand to each file once, in order; arguments without files are errors."""

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
def image_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of empty files; listing them opens none."""
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


def test_an_image_on_stdin_is_no_list() -> None:
    for data in (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"a.png\n\0\0\n"):
        with pytest.raises(NoInputError, match="holds bytes of no text: name an image"):
            list(stdin_lines(io.BytesIO(data), nul=False))
    assert list(stdin_lines(io.BytesIO(b"a.png\0b.png\0"), nul=True)) == ["a.png", "b.png"]


def test_a_folder_is_searched_recursively_in_sorted_order(image_folder: Path) -> None:
    for name in ("able.png", "deep.png", "deep/clip.MKV", "deep/.cache/x.png"):
        (image_folder / name).parent.mkdir(exist_ok=True)
        (image_folder / name).touch()
    expected = ["a.JPG", "able.png", "b.png", "deep/clip.MKV", "deep/er/c.webp", "deep.png"]
    assert found(".") == expected
    assert found(str(image_folder)) == sorted(
        (str(image_folder / name) for name in expected), key=Path
    )


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
    image_folder: Path, pattern: str, expected: list[str]
) -> None:
    assert names(pattern) == expected
    assert names(str(image_folder / pattern)) == expected


def test_each_file_is_listed_once_in_order_of_first_mention(image_folder: Path) -> None:
    (image_folder / "link.png").symlink_to("b.png")
    (image_folder / "list.txt").write_text("b.png\ndeep/er/c.webp\n")
    texts = ("b.png", "list.txt", ".", "./b.png", str(image_folder / "a.JPG"), "link.png", "*.png")
    assert names(*texts) == ["b.png", "c.webp", "a.JPG"]


def test_paths_stay_as_the_user_wrote_them(image_folder: Path) -> None:
    assert found("deep", "b.png") == ["deep/er/c.webp", "b.png"]


def test_an_existing_file_takes_precedence_over_a_pattern(image_folder: Path) -> None:
    (image_folder / "x[1].png").touch()
    assert found("x[1].png") == ["x[1].png"]


def test_size_time_and_kind_of_the_file_are_recorded(image_folder: Path) -> None:
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


def test_a_named_file_needs_no_known_extension(image_folder: Path) -> None:
    Path("picture").touch()
    Path("film.bin").write_bytes(bytes(4) + b"ftypisom" + bytes(20))
    assert [(one.source, one.is_video) for one in list_inputs(["picture", "film.bin"])] == [
        ("picture", False),
        ("film.bin", True),
    ]


def test_the_output_folder_is_excluded(image_folder: Path) -> None:
    out = image_folder / "out"
    (out / "deep").mkdir(parents=True)
    (out / "overlay.png").touch()
    (out / "deep" / "overlay.png").touch()
    for text in (".", "**/*.png", str(image_folder), "./"):
        assert "overlay.png" not in names(text, exclude=out)
    for text in ("out", "out*/*"):
        with pytest.raises(NoInputError):
            found(text, exclude=Path("out"))
    assert found("out/overlay.png", exclude=Path("out")) == ["out/overlay.png"]


def test_symbolic_link_cycles_end(image_folder: Path) -> None:
    (image_folder / "deep" / "loop").symlink_to(image_folder)
    assert names("deep") == ["c.webp"]


@pytest.mark.parametrize(
    "text", ["", "nothing.png", "no/such/file", "*.tiff", "\0.png", "x" * 9999, "http://a/b.png"]
)
def test_an_argument_without_files_is_an_error(image_folder: Path, text: str) -> None:
    with pytest.raises(NoInputError):
        found("b.png", text)


def test_an_empty_folder_or_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# nothing\n\n")
    for path in (tmp_path, tmp_path / "list.txt"):
        with pytest.raises(NoInputError, match="no images or videos in"):
            found(str(path))


def test_the_error_suggests_the_closest_name(image_folder: Path) -> None:
    (image_folder / "kitchen.png").touch()
    with pytest.raises(NoInputError, match=r"did you mean 'kitchen\.png'\?"):
        found("kitchn.png")


def test_a_list_may_name_files_folders_and_missing_paths(image_folder: Path) -> None:
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
    nul: bool, end: bytes, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(end.join([b"b.png", b"", b"#1.png", b"a.JPG"])))
    monkeypatch.setattr(sys, "stdin", stdin)
    listed = list(list_inputs(["-"], nul=nul))
    assert [one.source for one in listed] == ["b.png", "#1.png", "a.JPG"]
    assert listed[1].bytes == -1


def test_files_are_listed_lazily(image_folder: Path) -> None:
    Path("list.txt").write_text("b.png\n" + "missing.png\n" * 1000)
    listing = list_inputs(["a.JPG", "nothing.png"])
    assert next(listing).source == "a.JPG"
    with pytest.raises(NoInputError):
        next(listing)


def test_a_line_that_is_no_valid_path_is_a_missing_input(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("x" * 5000 + "\n")
    (found,) = list_inputs([str(tmp_path / "list.txt")])
    assert (found.source, found.bytes, found.is_video) == ("x" * 5000, -1, False)


def test_blank_lines_comments_and_carriage_returns_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa.png\r\n\r\n  \n# comment\n b c.png\nlast#.png")
    assert list(list_lines(path)) == ["a.png", " b c.png", "last#.png"]


def test_relative_paths_use_the_working_folder_then_the_list_folder(
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
def test_lines_do_not_depend_on_the_read_chunks(names: list[str]) -> None:
    padded = [name + "x" * 5000 for name in names]  # several chunks
    data = "\n".join(padded).encode()
    assert list(stdin_lines(io.BytesIO(data), nul=False)) == padded


def test_a_file_that_is_no_list_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"x" * 200_000)
    with pytest.raises(NoInputError, match="longer than any path"):
        list(list_lines(path))
    with pytest.raises(NoInputError, match="cannot be read"):
        list(list_lines(tmp_path / "missing.txt"))
