"""Find the inputs a user means: files, folders and glob patterns, each file once, in order.

What is found in a folder is picked by its extension; a file named outright is taken as it is, and
its content decides whether it can be read.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from glob import glob, has_magic
from pathlib import Path

from vlseg_cli.media.formats import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS
from vlseg_cli.schema import InputError, NoInputError


def find_inputs(paths: Sequence[str], exclude: Path | None = None) -> list[Path]:
    """Expand what a user wrote to image files, duplicates once, in order of first mention.

    exclude: a folder from which nothing is picked up (the output folder of this very run), unless
    a file in it is named outright. Raises NoInputError for a path or pattern that leads to
    nothing, InputError for a video.
    """
    outside = exclude.resolve() if exclude else None
    found: dict[Path, Path] = {}
    for text in paths:
        for path in _expand(text, outside):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _expand(text: str, outside: Path | None) -> list[Path]:
    path = Path(text)
    if not text or not os.path.lexists(path):
        if not has_magic(text):
            raise NoInputError(f"There is no file or folder {text!r}{_suggestion(path)}")
        # Path.glob takes no absolute patterns; the glob module does.
        matches = [Path(name) for name in sorted(glob(text, recursive=True))]  # noqa: PTH207
    elif not path.is_dir():
        if path.suffix.lower() in VIDEO_EXTENSIONS:
            raise InputError(f"{text} is a video: this version of vlseg reads images only.")
        return [path]
    else:
        matches = [path]
    images = [image for match in matches for image in _images(match, outside)]
    if not images:
        raise NoInputError(f"There are no images in {text!r}: are their extensions usual ones?")
    return images


def _images(path: Path, outside: Path | None) -> Iterator[Path]:
    """The path itself or all files below it, in sorted order, that are images by their name."""
    for file in sorted(_walk(path)) if path.is_dir() else [path]:
        hidden = file.name.startswith(".")
        if file.suffix.lower() in IMAGE_EXTENSIONS and not hidden and not _within(file, outside):
            yield file


def _walk(folder: Path) -> Iterable[Path]:
    """All files below a folder; hidden and linked folders are not entered."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent) / name for name in files)


def _within(file: Path, folder: Path | None) -> bool:
    return folder is not None and file.resolve().is_relative_to(folder)


def _suggestion(path: Path) -> str:
    """'; did you mean …?' when the folder holds a name much like the missing one, else '.'."""
    try:
        names = [sibling.name for sibling in path.parent.iterdir()]
    except (OSError, ValueError):
        return "."
    nearest = get_close_matches(path.name, names, n=1)
    return f"; did you mean {str(path.with_name(nearest[0]))!r}?" if nearest else "."
