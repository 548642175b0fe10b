"""What is sent to a benchmark's server; see ``scorers.base.Submission``.

Videos: ``Annotations/VIDEO/EXPRESSION/FRAME.png`` of 0 and 255 is what Ref-YouTube-VOS and MeViS
take, ``Annotations/VIDEO/FRAME.png`` of object numbers what YouTube-VOS takes, ``results.json``, a
list of tracks with a mask per frame, what YouTube-VIS takes; all in an archive. Text: VQA's list of
answers, MMBench's table of letters. Files of a sample are written when it is added, so the order
does not matter; archives and tables at the end, and the same content makes the same bytes.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.evaluation.metrics.choices import letter_or_text
from vlseg_cli.evaluation.metrics.vqa import m4c_words
from vlseg_cli.evaluation.scorers.clips import by_query, tracked
from vlseg_cli.evaluation.scorers.text_answers import lettered
from vlseg_cli.evaluation.scorers.tracks import detected_tracks
from vlseg_cli.evaluation.truth import predicted_union
from vlseg_cli.outputs.colors import DAVIS
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import ClipSample, Prediction, Question, Regions, Sample, UsageError

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
                    "segmentations": track.shape,
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


_CHOICES = "ABCD"


class VQAAnswers:
    """``answers.json`` for EvalAI, its words rewritten as LLaVA's and HyperSeg's uploads are."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._answers: dict[int, str] = {}

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for query, prediction in zip(sample.queries, predictions, strict=True):
            self._answers[int(query.key)] = m4c_words(prediction.text)

    def close(self) -> None:
        """See ``Submission``."""
        answers = [
            {"question_id": key, "answer": text} for key, text in sorted(self._answers.items())
        ]
        self._folder.write(json.dumps(answers).encode(), "answers.json")


class MMBenchLetters:
    """``answers.xlsx``: every row of the table with the predicted letter."""

    def __init__(self, folder: OutputFolder) -> None:
        """Raises UsageError without XlsxWriter."""
        check_xlsx()
        self._folder = folder
        self._rows: dict[int, list[str | int]] = {}

    def add(self, sample: Sample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for query, prediction in zip(sample.queries, predictions, strict=True):
            assert isinstance(query.prompt, Question)
            choices = lettered(query)
            letter = letter_or_text(prediction.text, choices)
            texts = [choices.get(one, "") for one in _CHOICES]
            self._rows[int(query.key)] = [int(query.key), query.prompt.text, *texts, letter]

    def close(self) -> None:
        """See ``Submission``."""
        rows = [row for _, row in sorted(self._rows.items())]
        names = ["index", "question", *_CHOICES, "prediction"]
        write_xlsx(self._folder, [names, *rows], "answers.xlsx")


_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry
_READABLE = 0o644 << 16  # as Unix keeps the rights of a file in an archive


def write_archive(folder: OutputFolder, files: Iterable[tuple[str, bytes]], *parts: str) -> None:
    """Write files by name, in their order, one in memory at a time. Raises OutputError."""
    file = folder.begin(*parts)
    with file.open_file() as opened, zipfile.ZipFile(opened, "w") as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = _READABLE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    file.commit()


def check_xlsx() -> None:
    """Raise UsageError unless XlsxWriter, an extra of vlseg, is installed."""
    if find_spec("xlsxwriter") is None:
        raise UsageError('A table for MMBench needs XlsxWriter: pip install "vlseg[xlsx]".')


def write_xlsx(folder: OutputFolder, rows: Iterable[Sequence[str | int]], *parts: str) -> None:
    """Write rows, the first one the names of the columns. Raises OutputError."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(*_TIME)})
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, _without_control_characters(value))
    folder.write(buffer.getvalue(), *parts)


def _without_control_characters(text: str) -> str:
    return "".join(one for one in text if one >= " " or one in "\t\n")
