"""YouTube-VOS and Ref-YouTube-VOS as they lie on disk, with and without held-out truth."""

import json
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.toy.clips import ToyClip, toy_clip
from vlseg_cli.datasets.toy.video_expressions import write_ref_youtube_vos
from vlseg_cli.datasets.toy.video_objects import write_youtube_vos
from vlseg_cli.datasets.video_expressions import RefYouTubeVOSDataset
from vlseg_cli.datasets.youtube_vos import YouTubeVOSDataset
from vlseg_cli.schema import Expression, InputError, NoInputError

SEEDS, FRAMES, SIZE = range(910000, 910002), 4, 64


@pytest.fixture(scope="module")
def clips() -> list[ToyClip]:
    return [toy_clip(seed, FRAMES, SIZE) for seed in SEEDS]


def test_objects_are_given_where_they_appear(tmp_path: Path, clips: list[ToyClip]) -> None:
    assert write_youtube_vos(tmp_path, "train", SEEDS, FRAMES, SIZE) == len(clips)
    dataset = YouTubeVOSDataset(tmp_path, "train")
    late = 0
    for number, clip in enumerate(clips):
        sample = dataset[number]
        assert Path(dataset.source(number)).name == sample.source == clip.name
        assert [one for query in sample.queries for one in query.objects] == [
            thing.number for thing in clip.things
        ]
        for query in sample.queries:
            late += query.first > 0
            for frame, scene in enumerate(clip.scenes):
                masks = query.masks(frame)
                assert masks is not None
                for mask, one in zip(masks, query.objects, strict=True):
                    seen = scene.ids == clip.things[one - 1].id
                    assert (mask == (seen & (frame >= query.first))).all()
    assert late


def test_held_out_splits_show_first_masks_alone(tmp_path: Path) -> None:
    write_youtube_vos(tmp_path, "valid", SEEDS, FRAMES, SIZE)
    for sample in map(YouTubeVOSDataset(tmp_path).__getitem__, range(len(SEEDS))):
        given = {query.first for query in sample.queries}
        for query in sample.queries:
            assert {n for n in range(FRAMES) if query.masks(n) is not None} == given


def test_a_missing_first_mask_is_named(tmp_path: Path) -> None:
    write_youtube_vos(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    path = tmp_path / "valid" / "meta.json"
    for annotation in tmp_path.glob("valid/Annotations/*/*.png"):
        annotation.unlink()
    with pytest.raises(InputError, match="has no annotation"):
        YouTubeVOSDataset(tmp_path)[0]
    path.write_text(path.read_text().replace('"00000", ', '"00009", '))
    with pytest.raises(InputError, match=r"lacks 00009\.jpg"):
        YouTubeVOSDataset(tmp_path)[0]
    path.write_text('{"videos": {"a": {}}}')
    with pytest.raises(InputError, match="lacks 'objects'"):
        YouTubeVOSDataset(tmp_path)
    path.write_text("{")
    with pytest.raises(InputError, match="damaged"):
        YouTubeVOSDataset(tmp_path)
    with pytest.raises(NoInputError, match="no folder"):
        YouTubeVOSDataset(tmp_path, "train")


def test_training_tells_what_expressions_mean(tmp_path: Path, clips: list[ToyClip]) -> None:
    assert write_ref_youtube_vos(tmp_path, "train", SEEDS, FRAMES, SIZE) == len(clips)
    dataset = RefYouTubeVOSDataset(tmp_path, "train")
    for number, clip in enumerate(clips):
        sample = dataset[number]
        assert [query.key for query in sample.queries] == [
            str(n) for n in range(2 * len(clip.things))
        ]
        for place, query in enumerate(sample.queries):
            thing, masks = clip.things[place // 2], query.masks(1)
            assert isinstance(query.prompt, Expression) and query.prompt.text
            assert query.objects == (thing.number,) and masks is not None
            assert (masks == np.array([clip.scenes[1].ids == thing.id])).all()


def test_validation_is_hidden_and_leaves_out_the_test_videos(tmp_path: Path) -> None:
    write_ref_youtube_vos(tmp_path, "valid", SEEDS, FRAMES, SIZE)
    write_ref_youtube_vos(tmp_path, "test", SEEDS[1:], FRAMES, SIZE)
    dataset = RefYouTubeVOSDataset(tmp_path, "valid")
    assert len(dataset) == 1 and dataset[0].source == f"{SEEDS[0]:06d}"
    for query in dataset[0].queries:
        assert query.objects == () and query.masks(0) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", "no 'videos'"),
        ('{"videos": 1}', "no 'videos'"),
        ('{"videos"', "damaged"),
    ],
)
def test_no_file_of_expressions(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "meta_expressions" / "valid" / "meta_expressions.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(InputError, match=reason):
        RefYouTubeVOSDataset(tmp_path)


def test_an_entry_without_its_parts_is_named(tmp_path: Path) -> None:
    write_ref_youtube_vos(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    path = tmp_path / "meta_expressions" / "valid" / "meta_expressions.json"
    for part in ("frames", "expressions"):
        data = json.loads(path.read_text())
        (entry,) = data["videos"].values()
        kept = entry.pop(part)
        path.write_text(json.dumps(data))
        with pytest.raises(InputError, match=f"lacks '{part}'"):
            RefYouTubeVOSDataset(tmp_path)[0]
        entry[part] = kept
        path.write_text(json.dumps(data))
