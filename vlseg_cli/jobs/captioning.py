"""A folder of pictures gets its captions: one line each in a file, from which a killed run goes on.

A line is written whole and synced before the next picture is looked at; half a line that a kill
left behind is cut off.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from vlseg_cli.datasets.captions import CAPTIONS, CaptionedImage, CaptionRules, read_captioned
from vlseg_cli.media import read_image
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.atomic import unwritable
from vlseg_cli.schema import Frame, InputError, UsageError

SETTINGS = "captions.json"


class DescribesFrames(Protocol):
    """A model that says what it sees."""

    def __call__(self, frame: Frame) -> list[str]:
        """Captions of a picture."""
        ...


class CaptionFile:
    """The growing file of a caption folder."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], overwrite: bool = False) -> None:
        """Begin, or go on where the last run stopped.

        settings: what decides the captions. Raises UsageError if the folder holds captions that
        were made otherwise, OutputError if it cannot be written.
        """
        output = OutputFolder(folder)
        output.make()
        self.path, told = folder / CAPTIONS, folder / SETTINGS
        if overwrite:
            self.path.unlink(missing_ok=True)
            told.unlink(missing_ok=True)
        if told.is_file() and json.loads(told.read_text("utf-8")) != settings:
            raise UsageError(
                f"{folder} holds captions that were made with other options: give another --out,"
                " or --overwrite to begin anew."
            )
        output.write((json.dumps(settings, indent=2) + "\n").encode(), SETTINGS)
        self._cut_torn_line()
        pictures = read_captioned(self.path) if self.path.is_file() else ()
        self._done = {(picture.model, picture.image) for picture in pictures}

    def __len__(self) -> int:
        """How many pictures have captions."""
        return len({image for _, image in self._done})

    def has(self, model: str, image: str) -> bool:
        """Whether a model's captions of a picture are there."""
        return (model, image) in self._done

    def add(self, picture: CaptionedImage) -> None:
        """Append a line, safe on disk. Raises OutputError if the disk refuses."""
        try:
            with self.path.open("ab") as file:
                file.write(picture.line().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._done.add((picture.model, picture.image))

    def _cut_torn_line(self) -> None:
        if self.path.is_file():
            with self.path.open("r+b") as file:
                file.truncate(file.read().rfind(b"\n") + 1)


def caption_pictures(
    file: CaptionFile,
    model: str,
    describe: DescribesFrames,
    images: Iterable[str],
    rules: CaptionRules,
    tell: Callable[[CaptionedImage | InputError], None],
) -> None:
    """Write a model's captions of pictures.

    tell: called for each picture with its captions, or with the error of one that cannot be read.
    """
    for image in images:
        try:
            said = describe(read_image(Path(image)))
        except InputError as error:
            tell(error)
            continue
        kept = dict.fromkeys(refined for text in said if (refined := rules.refine(text)))
        refused = sum(rules.refine(text) is None for text in said)
        picture = CaptionedImage(image, model, tuple(kept), refused)
        file.add(picture)
        tell(picture)
