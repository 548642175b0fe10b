"""Captions for a folder of images: one line each in a file, from which a killed run is resumed.

A line is written as a whole and synced before the next image is captioned; a torn last line is
removed when the file is opened again.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.captions import CAPTIONS, CaptionedImage, CaptionRules, read_captioned
from vlseg_cli.media import read_image
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.atomic import write_error
from vlseg_cli.schema import Frame, InputError, UsageError

SETTINGS = "captions.json"


class CaptionFile:
    """The growing file of a caption folder."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], overwrite: bool = False) -> None:
        """Start, or resume the last run.

        settings: everything that the captions depend on. Raises UsageError if the folder holds
        captions of other settings, OutputError if it cannot be written.
        """
        output = OutputFolder(folder)
        output.make()
        self.path, settings_file = folder / CAPTIONS, folder / SETTINGS
        stored = _stored_settings(settings_file, self.path)
        if overwrite:
            output.remove(CAPTIONS)
            output.remove(SETTINGS)
        elif stored not in (None, settings):
            raise UsageError(
                f"{folder} holds captions that were made with other options: give another --out,"
                " or --overwrite to start over."
            )
        output.write((json.dumps(settings, indent=2) + "\n").encode(), SETTINGS)
        self._remove_torn_line()
        captioned = read_captioned(self.path) if self.path.is_file() else ()
        self._done = {(one.model, one.image) for one in captioned}

    def __len__(self) -> int:
        """How many images have captions."""
        return len({image for _, image in self._done})

    def has(self, model: str, image: str) -> bool:
        """Whether a model has captioned an image."""
        return (model, image) in self._done

    def add(self, captioned: CaptionedImage) -> None:
        """Append a line; on disk when this returns. Raises OutputError if it cannot be written."""
        try:
            with self.path.open("ab") as file:
                file.write(captioned.line().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise write_error(self.path, error) from error
        self._done.add((captioned.model, captioned.image))

    def _remove_torn_line(self) -> None:
        if self.path.is_file():
            with self.path.open("r+b") as file:
                file.truncate(file.read().rfind(b"\n") + 1)


def _stored_settings(path: Path, captions: Path) -> Mapping[str, Any] | None:
    """Those of the last run. Raises UsageError if the files are not of an earlier run."""
    try:
        stored = json.loads(path.read_bytes()) if path.exists() or captions.exists() else None
    except (OSError, ValueError, RecursionError):
        stored = False
    if stored is None or isinstance(stored, dict):
        return stored
    raise UsageError(
        f"{path.parent} holds captions that vlseg did not write, or whose {path.name} is damaged:"
        " move them, or give another --out."
    )


def caption_images(
    file: CaptionFile,
    model: str,
    describe: Callable[[Frame], list[str]],
    images: Iterable[str],
    rules: CaptionRules,
    report: Callable[[CaptionedImage | InputError], None],
) -> None:
    """Write a model's captions of images.

    report: called for each image with its captions, or with the error of one that cannot be read.
    """
    for image in images:
        try:
            generated = describe(read_image(Path(image)))
        except InputError as error:
            report(error)
            continue
        refined = [rules.refine(text) for text in generated]
        kept = dict.fromkeys(text for text in refined if text)
        captioned = CaptionedImage(image, model, tuple(kept), refined.count(None))
        file.add(captioned)
        report(captioned)
