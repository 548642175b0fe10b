"""A file is written whole or not at all, and never through a symbolic link."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vlseg_cli.outputs.atomic import (
    AtomicFile,
    remove_partial_files,
    write_atomically,
    write_by_name,
)
from vlseg_cli.schema import OutputError


def names_in(folder: Path) -> list[str]:
    """The names that a listing of the folder shows."""
    return [path.name for path in folder.iterdir()]


def test_nothing_is_visible_before_commit(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    file = AtomicFile(target)
    file.write(b"half")
    assert not target.exists()
    file.write(b" and half")
    file.commit()
    assert target.read_bytes() == b"half and half"
    assert names_in(tmp_path) == ["result.json"]


def test_discard_leaves_the_old_file_and_no_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_text("old")
    file = AtomicFile(target)
    file.write(b"new")
    file.discard()
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["result.json"]


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "result.json").symlink_to("precious")
    write_atomically(tmp_path / "result.json", b"new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "result.json").is_symlink()


def test_files_get_the_default_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "result", b"")
    assert (tmp_path / "result").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_missing_folder_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_atomically(tmp_path / "no" / "result", b"")


def test_a_full_disk_is_a_one_line_error_and_leaves_no_file(tmp_path: Path) -> None:
    """A file size limit simulates a full disk: writing fails in the same way."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from vlseg_cli.outputs.atomic import write_atomically\n"
        "from vlseg_cli.schema import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomically(Path(sys.argv[1]), bytes(5000))\n"
        "except OutputError as error: print(error)\n"
    )
    target = tmp_path / "result"
    done = subprocess.run(
        [sys.executable, "-c", program, target], capture_output=True, text=True, check=True
    )
    assert "cannot be written (file too large)" in done.stdout
    assert names_in(tmp_path) == []


def test_a_killed_writer_leaves_no_partial_file(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from vlseg_cli.outputs.atomic import AtomicFile\n"
        "file = AtomicFile(Path(sys.argv[1])); file.write(bytes(100_000)); print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "result"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert not (tmp_path / "result").exists()
    assert all(name.startswith(".") and name.endswith(".part") for name in names_in(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".mine.part").touch()
    remove_partial_files(tmp_path)
    assert names_in(tmp_path) == ["sub"]
    assert names_in(tmp_path / "sub") == [".mine.part"]


def test_a_library_can_write_to_the_file_object(tmp_path: Path) -> None:
    target = tmp_path / "result"
    file = AtomicFile(target)
    with file.open_file() as opened:
        opened.write(b"0123")
        opened.seek(1)
        opened.write(b"x")
    file.commit()
    assert target.read_bytes() == b"0x23"


def test_an_os_error_inside_a_library_is_a_one_line_error(tmp_path: Path) -> None:
    file = AtomicFile(tmp_path / "result")
    with pytest.raises(OutputError, match="no space left"), file.open_file():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert names_in(tmp_path) == []


def test_no_file_is_left_when_a_library_fails(tmp_path: Path) -> None:
    file = AtomicFile(tmp_path / "result")
    with pytest.raises(KeyError), file.open_file() as opened:
        opened.write(b"half")
        raise KeyError
    assert names_in(tmp_path) == []


def test_a_file_written_by_path_replaces_links_with_default_permissions(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "result").symlink_to("precious")

    def write(name: Path) -> None:
        name.write_text("new")
        name.chmod(0o600)

    write_by_name(tmp_path / "result", write)
    assert (tmp_path / "result").read_text() == "new"
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o644
    assert sorted(names_in(tmp_path)) == ["precious", "result"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError()])
def test_an_incomplete_write_by_path_leaves_the_old_file(tmp_path: Path, error: Exception) -> None:
    (tmp_path / "result").write_text("old")

    def write(name: Path) -> None:
        name.write_text("half")
        raise error

    with pytest.raises(OutputError if isinstance(error, OSError) else ValueError):
        write_by_name(tmp_path / "result", write)
    assert (tmp_path / "result").read_text() == "old" and names_in(tmp_path) == ["result"]
