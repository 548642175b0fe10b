"""What servers of video benchmarks take: mask images and tracks."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.toy.video_expressions import write_ref_youtube_vos
from vlseg_cli.datasets.toy.video_objects import write_youtube_vis, write_youtube_vos
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.datasets.youtube_vos import RefYouTubeVOSDataset, YouTubeVOSDataset
from vlseg_cli.evaluation.submissions.videos import ExpressionMasks, ObjectNumbers, TrackResults
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import ClipSample, Prediction, decode_rle

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
