"""YouTube-VIS as it lies on disk: tracks, gaps, hidden truth, and what is broken."""

import json
from pathlib import Path

import pytest

from vlseg_cli.datasets.toy.clips import toy_clip
from vlseg_cli.datasets.toy.video_objects import write_youtube_vis
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.schema import Categories, InputError, NoInputError, Task

SEEDS, FRAMES, SIZE = range(910000, 910002), 3, 64


def test_every_thing_is_a_track(tmp_path: Path) -> None:
    write_youtube_vis(tmp_path, "train", SEEDS, FRAMES, SIZE)
    dataset = YouTubeVISDataset(tmp_path, "train")
    for number, seed in enumerate(SEEDS):
        clip, sample = toy_clip(seed, FRAMES, SIZE), dataset[number]
        (query,) = sample.queries
        assert (query.task, query.key, sample.source) == (Task.VIS, str(number + 1), clip.name)
        assert isinstance(query.prompt, Categories)
        assert Path(dataset.source(number)).name == clip.name
        names = [query.prompt.names[label] for label in query.labels]
        assert names == [thing.category for thing in clip.things]
        for frame, scene in enumerate(clip.scenes):
            masks = query.masks(frame)
            assert masks is not None and sample.read(frame).index == frame
            for mask, thing in zip(masks, clip.things, strict=True):
                assert (mask == (scene.ids == thing.id)).all()


def test_only_a_server_knows_the_validation_split(tmp_path: Path) -> None:
    write_youtube_vis(tmp_path, "valid", SEEDS, FRAMES, SIZE)
    (query,) = YouTubeVISDataset(tmp_path)[0].queries
    assert query.objects == () and query.masks(0) is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write_youtube_vis(tmp_path, "train", SEEDS, FRAMES, SIZE)
    path = tmp_path / "train.json"
    data = json.loads(path.read_text())
    for key in ("videos", "annotations", "categories"):
        path.write_text(json.dumps({k: v for k, v in data.items() if k != key}))
        with pytest.raises(InputError, match=f"lacks '{key}'"):
            YouTubeVISDataset(tmp_path, "train")
    del data["videos"][0]["file_names"], data["videos"][1]["height"]
    path.write_text(json.dumps(data))
    dataset = YouTubeVISDataset(tmp_path, "train")
    for number, key in enumerate(("file_names", "height")):
        with pytest.raises(InputError, match=f"lacks '{key}'"):
            dataset[number]
    with pytest.raises(InputError, match="lacks 'file_names'"):
        dataset.source(0)
    with pytest.raises(NoInputError, match="no folder"):
        YouTubeVISDataset(tmp_path, "valid")
