"""Masks as servers of video benchmarks take them, read back pixel by pixel."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.toy.youtube_vos import write_ref_youtube_vos, write_youtube_vos
from vlseg_cli.datasets.youtube_vos import RefYouTubeVOSDataset, YouTubeVOSDataset
from vlseg_cli.evaluation.submissions.masks import ExpressionMasks, ObjectNumbers
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import ClipSample, Prediction

SEEDS, FRAMES, SIZE = range(910000, 910002), 3, 64

Answer = Callable[..., list[Prediction]]


def pictures(archive: Path) -> dict[str, Image.Image]:
    with zipfile.ZipFile(archive) as opened:
        return {name: Image.open(BytesIO(opened.read(name))) for name in opened.namelist()}


def test_a_picture_for_each_frame_of_each_expression(tmp_path: Path, answer: Answer) -> None:
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
    found = pictures(tmp_path / "2" / "Annotations.zip")
    assert len(found) == sum(len(sample.queries) for sample in samples) * FRAMES
    for sample in samples:
        for query in sample.queries:
            for frame, name in enumerate(sample.names):
                picture = found[f"Annotations/{sample.source}/{query.key}/{name}.png"]
                masks = query.masks(frame)
                assert masks is not None and picture.mode == "L"
                assert (np.asarray(picture) == np.where(masks[0], 255, 0)).all()


def test_object_numbers_from_where_they_are_given(tmp_path: Path, answer: Answer) -> None:
    write_youtube_vos(tmp_path / "data", "train", SEEDS, FRAMES, SIZE)
    dataset = YouTubeVOSDataset(tmp_path / "data", "train")
    submission = ObjectNumbers(OutputFolder(tmp_path / "out"))
    for number in range(len(dataset)):
        submission.add(dataset[number], id_map(answer(dataset[number]), dataset[number]))
    submission.close()
    found = pictures(tmp_path / "out" / "Annotations.zip")
    assert len(found) == len(dataset) * FRAMES
    for name, picture in found.items():
        truth = Image.open(tmp_path / "data" / "train" / name)
        assert picture.mode == "P" and picture.getpalette() == truth.getpalette()
        assert (np.asarray(picture) == np.asarray(truth)).all()


def id_map(answers: list[Prediction], sample: ClipSample) -> list[Prediction]:
    """Track numbers that count on from query to query, as a session gives them."""
    queries = sample.queries
    begins = [sum(len(query.objects) for query in queries[:n]) for n in range(len(queries))]
    return [
        replace(
            one,
            segments=tuple(
                replace(segment, track_id=segment.track_id + begins[place % len(queries)])
                for segment in one.segments
            ),
        )
        for place, one in enumerate(answers)
    ]


@pytest.mark.parametrize("kind", [ExpressionMasks, ObjectNumbers])
def test_nothing_answered_is_an_empty_archive(tmp_path: Path, kind: type) -> None:
    kind(OutputFolder(tmp_path)).close()
    assert pictures(tmp_path / "Annotations.zip") == {}
