"""YouTube-VIS's results, read back as its server reads them."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from vlseg_cli.datasets.toy.youtube_vos import write_ytvis
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.evaluation.submissions.tracks import TrackResults
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Prediction, decode_rle

SEEDS, FRAMES, SIZE = range(910000, 910002), 3, 64

Answer = Callable[..., list[Prediction]]


def test_every_track_has_a_mask_or_null_for_each_frame(tmp_path: Path, answer: Answer) -> None:
    write_ytvis(tmp_path, "train", SEEDS, FRAMES, SIZE)
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
