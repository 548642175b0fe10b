"""What servers take: mask images and tracks, text answers and tables, the same bytes each time."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.toy.questions import write_mmbench, write_vqa
from vlseg_cli.datasets.toy.video_expressions import write_ref_youtube_vos
from vlseg_cli.datasets.toy.video_objects import write_youtube_vis, write_youtube_vos
from vlseg_cli.datasets.video_expressions import RefYouTubeVOSDataset
from vlseg_cli.datasets.vqa import VQADataset
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.datasets.youtube_vos import YouTubeVOSDataset
from vlseg_cli.evaluation.submissions import (
    ExpressionMasks,
    MMBenchLetters,
    ObjectNumbers,
    TrackResults,
    VQAAnswers,
    check_xlsx,
    write_archive,
    write_xlsx,
)
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import ClipSample, Prediction, Sample, UsageError, decode_rle

SEEDS, FRAMES, SIZE = range(910000, 910002), 3, 64

Answer = Callable[..., list[Prediction]]


def images(archive: Path) -> dict[str, Image.Image]:
    with zipfile.ZipFile(archive) as opened:
        return {name: Image.open(BytesIO(opened.read(name))) for name in opened.namelist()}


def test_an_image_for_each_frame_of_each_expression(tmp_path: Path, answer: Answer) -> None:
    write_ref_youtube_vos(tmp_path / "data", "train", SEEDS, FRAMES, SIZE)
    dataset = RefYouTubeVOSDataset(tmp_path / "data", "train")
    samples = [dataset[number] for number in range(len(dataset))]
    archives = []
    for order in (samples, samples[::-1] + samples):  # any order, and again after a kill
        out = tmp_path / f"{len(order)}"
        submission = ExpressionMasks(OutputFolder(out))
        for sample in order:
            submission.add(sample, answer(sample))
        submission.close()
        archives.append((out / "Annotations.zip").read_bytes())
    assert archives[0] == archives[1]
    found = images(tmp_path / "2" / "Annotations.zip")
    assert len(found) == sum(len(sample.queries) for sample in samples) * FRAMES
    for sample in samples:
        for query in sample.queries:
            for frame, name in enumerate(sample.names):
                image = found[f"Annotations/{sample.source}/{query.key}/{name}.png"]
                masks = query.masks(frame)
                assert masks is not None and image.mode == "L"
                assert (np.asarray(image) == np.where(masks[0], 255, 0)).all()


def test_object_numbers_begin_where_objects_are_given(tmp_path: Path, answer: Answer) -> None:
    write_youtube_vos(tmp_path / "data", "train", SEEDS, FRAMES, SIZE)
    dataset = YouTubeVOSDataset(tmp_path / "data", "train")
    submission = ObjectNumbers(OutputFolder(tmp_path / "out"))
    for number in range(len(dataset)):
        submission.add(dataset[number], renumbered(answer(dataset[number]), dataset[number]))
    submission.close()
    found = images(tmp_path / "out" / "Annotations.zip")
    assert len(found) == len(dataset) * FRAMES
    for name, image in found.items():
        truth = Image.open(tmp_path / "data" / "train" / name)
        assert image.mode == "P" and image.getpalette() == truth.getpalette()
        assert (np.asarray(image) == np.asarray(truth)).all()


def renumbered(answers: list[Prediction], sample: ClipSample) -> list[Prediction]:
    """Track numbers that count on from query to query, as a session gives them."""
    queries = sample.queries
    begins = [sum(len(query.objects) for query in queries[:n]) for n in range(len(queries))]
    return [
        replace(
            one,
            segments=tuple(
                replace(segment, track_id=segment.track_id + begins[index % len(queries)])
                for segment in one.segments
            ),
        )
        for index, one in enumerate(answers)
    ]


@pytest.mark.parametrize("kind", [ExpressionMasks, ObjectNumbers])
def test_no_sample_gives_an_empty_archive(tmp_path: Path, kind: type) -> None:
    kind(OutputFolder(tmp_path)).close()
    assert images(tmp_path / "Annotations.zip") == {}


def test_every_track_has_a_mask_or_null_for_each_frame(tmp_path: Path, answer: Answer) -> None:
    write_youtube_vis(tmp_path, "train", SEEDS, FRAMES, SIZE)
    dataset = YouTubeVISDataset(tmp_path, "train")
    submission = TrackResults(OutputFolder(tmp_path / "out"))
    for number in range(len(dataset)):
        submission.add(dataset[number], answer(dataset[number]))
    submission.close()
    with zipfile.ZipFile(tmp_path / "out" / "results.zip") as archive:
        results = json.loads(archive.read("results.json"))
    truth = json.loads((tmp_path / "train.json").read_text())["annotations"]
    assert [one["category_id"] for one in results] == [one["category_id"] for one in truth]
    assert [one["video_id"] for one in results] == [one["video_id"] for one in truth]
    for one, own in zip(results, truth, strict=True):
        assert set(one) == {"video_id", "category_id", "score", "segmentations"}
        for runs, area in zip(one["segmentations"], own["areas"], strict=True):
            assert (runs is None) == (area is None)
            assert runs is None or decode_rle(runs).sum() == area


def test_no_tracks_are_an_empty_list(tmp_path: Path) -> None:
    TrackResults(OutputFolder(tmp_path)).close()
    assert json.loads((tmp_path / "results.json").read_text()) == []


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_rows(path: Path) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        parts = {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}
    strings = ["".join(one.itertext()) for one in parts["xl/sharedStrings.xml"]]
    return [
        [
            strings[int("".join(cell.itertext()))]
            if cell.get("t") == "s"
            else "".join(cell.itertext())
            for cell in row
        ]
        for row in parts["xl/worksheets/sheet1.xml"].iter(f"{_MAIN}row")
    ]


def answered(sample: Sample, text: str) -> list[Prediction]:
    size = sample.frame.height, sample.frame.width
    return [
        Prediction(sample.frame.source, 0, *size, query.task, query.prompt, (), text)
        for query in sample.queries
    ]


def test_vqa_answers_are_rewritten_and_in_order(tmp_path: Path) -> None:
    count = write_vqa(tmp_path, "vqav2", "testdev", SEEDS, SIZE)
    dataset = VQADataset(tmp_path, "vqav2", "testdev")
    submission = VQAAnswers(OutputFolder(tmp_path / "out"))
    for number in reversed(range(len(dataset))):
        submission.add(dataset[number], answered(dataset[number], "The two cats."))
    submission.close()
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert len(answers) == count and {one["answer"] for one in answers} == {"2 cats"}
    numbers = [one["question_id"] for one in answers]
    assert numbers == sorted(numbers) and all(isinstance(one, int) for one in numbers)


def test_mmbench_gets_a_letter_for_every_row(tmp_path: Path) -> None:
    write_mmbench(tmp_path, SEEDS, size=SIZE)
    dataset = MMBenchDataset(tmp_path / "mmbench_dev_en_20231003.tsv")
    submission = MMBenchLetters(OutputFolder(tmp_path / "out"))
    queries = []
    for number in range(len(dataset)):
        queries += dataset[number].queries
        submission.add(dataset[number], answered(dataset[number], "B. <surely> & so on"))
    submission.close()
    header, *rows = read_rows(tmp_path / "out" / "answers.xlsx")
    assert header == ["index", "question", "A", "B", "C", "D", "prediction"]
    assert {row[0] for row in rows} == {query.key for query in queries}
    for row in rows:
        (query,) = (one for one in queries if one.key == row[0])
        assert row[1] == query.prompt.text and row[-1] == "B"
        assert tuple(filter(None, row[2:6])) == query.choices


FILES = [("a/b.txt", b"one"), ("ü.bin", bytes(1000))]


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        write_archive(OutputFolder(tmp_path), iter(FILES), "x", name)
    first, second = (tmp_path / "x" / name for name in ("first.zip", "second.zip"))
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert [(name, archive.read(name)) for name in archive.namelist()] == FILES


def test_a_failed_archive_leaves_no_file(tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        raise KeyError

    with pytest.raises(KeyError):
        write_archive(OutputFolder(tmp_path), files(), "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_cells_hold_what_was_written(tmp_path: Path) -> None:
    texts = ["plain", "<a> & 'b'", "two\nlines", "\x00bell\x07", "=1+1", "请"]
    rows = [["name", "n"], *([text, 7] for text in texts)]
    for name in ("t.xlsx", "again.xlsx"):
        write_xlsx(OutputFolder(tmp_path), rows, name)
    assert read_rows(tmp_path / "t.xlsx") == [
        ["name", "n"],
        *([text.strip("\x00\x07"), "7"] for text in texts),
    ]
    assert (tmp_path / "t.xlsx").read_bytes() == (tmp_path / "again.xlsx").read_bytes()


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vlseg_cli.evaluation.submissions.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install \"vlseg\[xlsx\]\""):
        check_xlsx()
