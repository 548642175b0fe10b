"""Files, folders and patterns lead to each image once, in order; what leads nowhere says so."""

from pathlib import Path

import pytest

from vlseg_cli.media.sources import find_inputs
from vlseg_cli.schema import InputError, NoInputError


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of (empty) files; finding them opens none."""
    for name in ["b.png", "a.JPG", "deep/er/c.webp", "notes.txt", ".hidden.png", ".git/d.png"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_folder_is_searched_to_its_ground_in_sorted_order(pictures: Path) -> None:
    (pictures / "able.png").touch()
    assert names(find_inputs(["."])) == ["a.JPG", "able.png", "b.png", "c.webp"]
    assert find_inputs([str(pictures)]) == sorted(find_inputs([str(pictures)]))


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
    assert names(find_inputs([pattern])) == expected
    assert names(find_inputs([str(pictures / pattern)])) == expected


def test_each_file_comes_once_in_order_of_first_mention(pictures: Path) -> None:
    (pictures / "link.png").symlink_to("b.png")
    found = find_inputs(["b.png", ".", "./b.png", str(pictures / "a.JPG"), "link.png"])
    assert names(found) == ["b.png", "a.JPG", "c.webp"]


def test_paths_stay_as_the_user_wrote_them(pictures: Path) -> None:
    assert [str(path) for path in find_inputs(["deep", "b.png"])] == ["deep/er/c.webp", "b.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(pictures: Path) -> None:
    (pictures / "x[1].png").touch()
    assert names(find_inputs(["x[1].png"])) == ["x[1].png"]


def test_a_named_file_needs_no_image_extension(pictures: Path) -> None:
    assert names(find_inputs(["notes.txt"])) == ["notes.txt"]


def test_earlier_results_are_not_taken_for_inputs(pictures: Path) -> None:
    (pictures / "out").mkdir()
    (pictures / "out" / "overlay.png").touch()
    for text in [".", "**/*.png"]:
        assert "overlay.png" not in names(find_inputs([text], exclude=Path("out")))
    assert names(find_inputs(["out/overlay.png"], exclude=Path("out"))) == ["overlay.png"]


def test_linked_folders_do_not_loop(pictures: Path) -> None:
    (pictures / "deep" / "loop").symlink_to(pictures)
    assert names(find_inputs(["deep"])) == ["c.webp"]


@pytest.mark.parametrize(
    "text", ["", "nothing.png", "no/such/file", "*.tiff", "\0.png", "x" * 9999]
)
def test_what_leads_nowhere_is_no_input(pictures: Path, text: str) -> None:
    with pytest.raises(NoInputError):
        find_inputs(["b.png", text])


def test_an_empty_folder_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="no images in"):
        find_inputs([str(tmp_path)])


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name(pictures: Path) -> None:
    (pictures / "kitchen.png").touch()
    with pytest.raises(NoInputError, match=r"did you mean 'kitchen\.png'\?"):
        find_inputs(["kitchn.png"])


def test_a_video_is_refused_honestly(pictures: Path) -> None:
    (pictures / "clip.MP4").touch()
    with pytest.raises(InputError, match="reads images only"):
        find_inputs(["clip.MP4"])
    assert "clip.MP4" not in names(find_inputs(["."]))
