"""Nothing is written outside the output folder, whatever the names of the inputs."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vlseg_cli.outputs.folder import OutputFolder, frame_file, is_safe_name, safe_name
from vlseg_cli.schema import OutputError, UsageError

HOSTILE = ["..", "/etc/passwd", "a/../../b", "C:\\x", "\0", "\n", "\x1b[31m", "~", "-rf", "\udcff"]


@given(st.text(max_size=300))
@example("..")
@example("/../../etc/passwd")
@example("COM1.png")
@example("\udcff\x1b[31m")
def test_names_are_safe_on_every_file_system(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name.encode()) <= 110
    assert not set(name) & set('/\\:*?"<>|\n\r\t\0\x1b\x7f')
    assert name[0] not in ".- " and name[-1] not in ". "
    assert safe_name(name) == name
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    ["..", "/etc/passwd", "C:\\x", "\0", "\n", "-rf", "\udcff", "", "a.png", "con", "x" * 300],
)
def test_unsafe_names_are_detected(name: str) -> None:
    assert not is_safe_name(name)


def test_the_longest_name_with_its_number_is_safe() -> None:
    folder = OutputFolder(Path())
    folder.name_for("x" * 300)
    assert is_safe_name(folder.name_for("x" * 300))


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "aux.tar"])
def test_names_reserved_on_windows_are_changed(name: str) -> None:
    assert safe_name(name) == f"image_{name}"


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ["kitchen", "IMG 2041", "søndag_på_stranden", "写真", "a.b"]:
        assert safe_name(name) == name


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_names_stay_inside(tmp_path: Path, source: str) -> None:
    folder = OutputFolder(tmp_path / "out")
    folder.write(b"x", "overlay", f"{folder.name_for(source)}.png")
    folder.write(b"x", "overlay", f"{folder.name_for('sub/' + source + '.png')}.png")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 2
    assert all(path.parent == tmp_path / "out" / "overlay" for path in written)


@given(st.lists(st.sampled_from(["a/cup.png", "b/cup.png", "cup-2.jpg", "CUP.png", "c/Cup"])))
def test_every_input_gets_a_unique_name(sources: list[str]) -> None:
    folder = OutputFolder(Path())
    names = [folder.name_for(source).casefold() for source in sources]
    assert len(set(names)) == len(sources)


def test_names_of_an_earlier_run_are_not_reused() -> None:
    folder = OutputFolder(Path())
    for name in ("cup", "cup-2"):
        folder.take(name)
    assert [folder.name_for("x/cup.png"), folder.name_for("y/Cup.png")] == ["cup-3", "Cup-4"]


def test_items_never_share_a_file() -> None:
    folder = OutputFolder(Path())
    image, video = folder.name_for("a.jpg"), folder.name_for("a.png.mp4")
    assert frame_file(image, False, 0, ".png") == ("a.png",)
    assert frame_file(video, True, 12, ".png") == ("a_png", "000012.png")


def test_a_failing_stream_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise OutputError("damaged")

    folder = OutputFolder(tmp_path / "out")
    with pytest.raises(OutputError, match="damaged"):
        folder.write_stream(failing(), "coco.json")
    assert list(folder.root.iterdir()) == []
    folder.write_stream(iter([b"ha", b"lf"]), "coco.json")
    assert (folder.root / "coco.json").read_bytes() == b"half"


def test_a_folder_linked_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "overlay").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="leads out of"):
        OutputFolder(tmp_path / "out").write(b"x", "overlay", "cup.png")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_output_folder_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    OutputFolder(tmp_path / "out").write(b"x", "overlay", "cup.png")
    assert (tmp_path / "disk" / "overlay" / "cup.png").read_bytes() == b"x"


def test_a_file_in_place_of_the_folder_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(UsageError, match="is a file"):
        OutputFolder(tmp_path / "out").make()
    with pytest.raises(UsageError, match="cannot be made"):
        OutputFolder(tmp_path / "out" / "deeper").make()
    with pytest.raises(UsageError, match="cannot be made"):
        OutputFolder(Path("a\0b")).make()


def test_an_unused_folder_is_not_created(tmp_path: Path) -> None:
    OutputFolder(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    OutputFolder(tmp_path / "out").make()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_in_place_of_a_format_folder_is_an_output_error(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out")
    folder.make()
    (tmp_path / "out" / "overlay").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        folder.write(b"x", "overlay", "cup.png")


def test_removing_a_missing_file_is_no_error(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out")
    folder.write(b"x", "failures.jsonl")
    folder.remove("failures.jsonl")
    folder.remove("failures.jsonl")
    assert list(folder.root.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_a_disk_that_cannot_be_written_to_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="cannot be made") as found:
        OutputFolder(tmp_path / "out").make()
    assert found.value.exit_code == 74
