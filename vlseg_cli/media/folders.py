"""Walk through folders in sorted order, holding the names of no more than one branch at a time."""

import os
from collections.abc import Iterator
from pathlib import Path

from vlseg_cli.media.formats import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS

_EXTENSIONS = IMAGE_EXTENSIONS | VIDEO_EXTENSIONS


def is_input(name: str) -> bool:
    """Whether a file is picked up for its name: an image or a video, and not hidden."""
    return not name.startswith(".") and Path(name).suffix.lower() in _EXTENSIONS


def walk(folder: str, outside: str | None) -> Iterator[str]:
    """All inputs below a folder.

    Hidden and linked folders, ``outside`` and results of jobs are not entered.

    outside: a real path, or None.
    """
    branches = [_branch(folder, outside)]
    while branches:
        path, is_folder = next(branches[-1], ("", False))
        if not path:
            branches.pop()
        elif is_folder:
            branches.append(_branch(path, outside))
        else:
            yield path


def is_within(folder: str, outside: str | None) -> bool:
    """Whether a folder is ``outside`` or below it."""
    return outside is not None and Path(os.path.realpath(folder)).is_relative_to(outside)


def _branch(folder: str, outside: str | None) -> Iterator[tuple[str, bool]]:
    """Inputs and folders of one folder, sorted by name, and which are folders."""
    if is_within(folder, outside) or _holds_results(folder):
        return
    names: list[str] = []
    folders: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        folders.add(entry.name)
                elif is_input(entry.name):
                    names.append(entry.name)
    except OSError:
        return  # what may not be entered holds nothing for us
    for name in sorted([*names, *folders]):
        yield str(Path(folder, name)), name in folders


def _holds_results(folder: str) -> bool:
    """Whether it is the output folder of a job: what was drawn there is no input of another."""
    # os.path says no where Path raises: of folders that may not be looked into.
    if not os.path.exists(Path(folder, "job.json")):  # noqa: PTH110
        return False
    return any(os.path.exists(Path(folder, name)) for name in ("journal.jsonl", ".vlseg"))  # noqa: PTH110
