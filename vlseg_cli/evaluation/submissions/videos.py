"""Submissions of video benchmarks: mask images per expression or object, or tracks as JSON.

``Annotations/VIDEO/EXPRESSION/FRAME.png`` of 0 and 255 is what Ref-YouTube-VOS and MeViS take,
``Annotations/VIDEO/FRAME.png`` of object numbers what YouTube-VOS takes, ``results.json``, a list
of tracks with a mask per frame, what YouTube-VIS takes; all in an archive.
"""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.evaluation.scorers.clips import by_query, tracked
from vlseg_cli.evaluation.scorers.tracks import detected_tracks
from vlseg_cli.evaluation.submissions.archive import write_archive
from vlseg_cli.evaluation.truth import predicted_union
from vlseg_cli.outputs.colors import DAVIS
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import ClipSample, Prediction, Regions

_TOP, _ANNOTATIONS_ZIP = "Annotations", "Annotations.zip"


class ExpressionMasks:
    """One image for each frame of each expression."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for query, of_query in by_query(sample, predictions):
            for name, prediction in zip(sample.names, of_query, strict=True):
                image = Image.fromarray(np.where(predicted_union(prediction), np.uint8(255), 0))
                video = Path(sample.source).parts
                self._folder.write(_png(image), _TOP, *video, query.key, f"{name}.png")

    def close(self) -> None:
        """See ``Submission``."""
        _write_annotations(self._folder)


class ObjectNumbers:
    """One image for each frame; an object is in it from the frame in which it is given."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for frame, name in enumerate(sample.names):
            row = predictions[frame * len(sample.queries) :][: len(sample.queries)]
            image = Image.fromarray(_numbers(sample, frame, row))
            image.putpalette(DAVIS)
            self._folder.write(_png(image), _TOP, sample.source, f"{name}.png")

    def close(self) -> None:
        """See ``Submission``."""
        _write_annotations(self._folder)


def _numbers(sample: ClipSample, frame: int, row: Sequence[Prediction]) -> NDArray[np.uint8]:
    """Numbers (H, W) of the objects in a frame; where they are given, exactly as given."""
    ids = np.zeros((row[0].height, row[0].width), np.uint8)
    first = 1  # track number of the query's first region
    for query, prediction in zip(sample.queries, row, strict=True):
        assert isinstance(query.prompt, Regions)
        masks = tracked(prediction)
        for number, (one, region) in enumerate(
            zip(query.objects, query.prompt.regions, strict=True), start=first
        ):
            if frame == query.first:
                ids[region.mask] = one
            elif frame > query.first and number in masks:
                ids[masks[number]] = one
        first += len(query.objects)
    return ids


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _write_annotations(folder: OutputFolder) -> None:
    write_archive(folder, _files(folder.root), _ANNOTATIONS_ZIP)


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((root / _TOP).rglob("*.png")):
        yield path.relative_to(root).as_posix(), path.read_bytes()


_PARTS, _RESULTS, _RESULTS_ZIP = "videos", "results.json", "results.zip"


class TrackResults:
    """A file for each video until all are there. Names have the ids 1, 2, … of YouTube-VIS."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for query, of_query in by_query(sample, predictions):
            tracks = [
                {
                    "video_id": int(query.key),
                    "category_id": track.category + 1,
                    "score": track.score,
                    "segmentations": list(track.tube),
                }
                for track in detected_tracks(of_query)
            ]
            lines = "".join(json.dumps(track) + "\n" for track in tracks)
            self._folder.write(lines.encode(), _PARTS, f"{query.key}.jsonl")

    def close(self) -> None:
        """See ``Submission``."""
        self._folder.write_stream(self._results(), _RESULTS)
        data = (self._folder.root / _RESULTS).read_bytes()
        write_archive(self._folder, [(_RESULTS, data)], _RESULTS_ZIP)

    def _results(self) -> Iterator[bytes]:
        opening = b"["
        for path in sorted((self._folder.root / _PARTS).glob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                yield opening + line
                opening = b",\n"
        yield b"[]" if opening == b"[" else b"]"
