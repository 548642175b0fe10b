"""Tracks of names: the truth scores 100, hidden truth scores nothing."""

from collections.abc import Callable
from pathlib import Path

from vlseg_cli.datasets.toy.youtube_vos import write_ytvis
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.evaluation.scorers.tracks import TrackScorer, detected_tracks
from vlseg_cli.schema import Prediction

SEEDS, FRAMES, SIZE = range(910000, 910003), 3, 64

Answer = Callable[..., list[Prediction]]


def test_the_truth_scores_a_hundred(tmp_path: Path, answer: Answer) -> None:
    write_ytvis(tmp_path, "train", SEEDS, FRAMES, SIZE)
    dataset = YouTubeVISDataset(tmp_path, "train")
    score, none = (TrackScorer(len(dataset.category_ids)) for _ in range(2))
    for number in range(len(dataset)):
        sample = dataset[number]
        score.add(sample, answer(sample))
        none.add(sample, answer(sample, lambda mask: ~mask))
    assert score.result().n == len(SEEDS)
    assert score.result().measures["AP"] == score.result().measures["AR10"] == 100
    assert none.result().measures["AP50"] == 0


def test_what_only_a_server_knows_is_not_scored(tmp_path: Path, answer: Answer) -> None:
    write_ytvis(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    dataset = YouTubeVISDataset(tmp_path)
    score = TrackScorer(len(dataset.category_ids))
    score.add(dataset[0], answer(dataset[0]))
    assert score.result().measures == {"AP": None} and score.result().n == 0


def test_a_track_has_the_mean_score_of_its_frames_and_gaps(tmp_path: Path, answer: Answer) -> None:
    write_ytvis(tmp_path, "train", SEEDS[:1], FRAMES, SIZE)
    sample = YouTubeVISDataset(tmp_path, "train")[0]
    answers = answer(sample)
    answers[1] = Prediction(*(getattr(answers[1], name) for name in Prediction.__slots__[:6]), ())
    tracks = detected_tracks(answers)
    assert len(tracks) == len(sample.queries[0].objects)
    for track in tracks:
        assert track.score == 0.9 and track.tube[1] is None and len(track.tube) == FRAMES
