"""MeViS and ReVOS as they lie on disk: several objects, none at all, and what is broken."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.base import ClipDataset
from vlseg_cli.datasets.toy.clips import toy_clip
from vlseg_cli.datasets.toy.video_expressions import write_mevis, write_revos
from vlseg_cli.datasets.video_expressions import MaskDict, MeViSDataset, ReVOSDataset
from vlseg_cli.schema import InputError, NoInputError, Question

SEEDS, FRAMES, SIZE = range(910000, 910006), 3, 64

Write = Callable[[Path, str, range, int, int], int]


@pytest.fixture(scope="module")
def revos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("revos")
    assert write_revos(root, "valid", SEEDS, FRAMES, SIZE)
    return root


@pytest.mark.parametrize(
    ("write", "read", "split"),
    [(write_revos, ReVOSDataset, "valid"), (write_mevis, MeViSDataset, "valid_u")],
)
def test_masks_are_those_of_the_world(
    tmp_path: Path, write: Write, read: Callable[[Path, str], ClipDataset], split: str
) -> None:
    videos = write(tmp_path, split, SEEDS, FRAMES, SIZE)
    dataset = read(tmp_path, split)
    assert len(dataset) == videos
    first = 0
    for number in range(videos):
        sample = dataset[number]
        clip = toy_clip(int(sample.source.rpartition("/")[2]), FRAMES, SIZE)
        assert Path(dataset.source(number)).is_dir() and sample.names == tuple(clip.names)
        for query in sample.queries:
            meant = [clip.things[one - first].id for one in query.objects]
            for frame, scene in enumerate(clip.scenes):
                masks = query.masks(frame)
                assert masks is not None and masks.shape == (len(meant), *scene.ids.shape)
                assert (masks == (scene.ids == np.array(meant, int)[:, None, None])).all()
                assert (query.kind == "absent") == (len(meant) == 0)
        first += len(clip.things)


def test_revos_asks_in_three_ways(revos: Path) -> None:
    dataset = ReVOSDataset(revos)
    queries = [query for number in range(len(dataset)) for query in dataset[number].queries]
    assert {query.kind for query in queries} == {"referring", "reasoning", "absent"}
    for query in queries:
        assert isinstance(query.prompt, Question) == (query.kind == "reasoning")
    assert max(len(query.objects) for query in queries) > 1


def test_frames_may_lie_where_hyperseg_keeps_them(tmp_path: Path) -> None:
    write_revos(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    for source in (tmp_path / "JPEGImages").iterdir():
        source.rename(tmp_path / source.name)
    (tmp_path / "JPEGImages").rmdir()
    assert ReVOSDataset(tmp_path)[0].read(0).pixels.any()


def test_only_a_server_knows_mevis_valid(tmp_path: Path) -> None:
    write_mevis(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    for query in MeViSDataset(tmp_path, "valid")[0].queries:
        assert query.objects == () and query.masks(0) is None


def test_no_object_may_be_a_negative_number(tmp_path: Path) -> None:
    write_revos(tmp_path, "valid", SEEDS[:1], FRAMES, SIZE)
    path = tmp_path / "meta_expressions_valid_.json"
    data = json.loads(path.read_text())
    (video,) = data["videos"].values()
    video["expressions"] = {"0": {"exp": "nothing", "obj_id": [-1], "anno_id": [-1], "type_id": 2}}
    path.write_text(json.dumps(data))
    (query,) = ReVOSDataset(tmp_path)[0].queries
    masks = query.masks(0)
    assert masks is not None and len(masks) == 0


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write_mevis(tmp_path, "valid_u", SEEDS[:1], FRAMES, SIZE)
    meta = tmp_path / "valid_u" / "meta_expressions.json"
    text = meta.read_text()
    for word in ("frames", "exp", "anno_id"):
        meta.write_text(text.replace(f'"{word}"', '"other"'))
        with pytest.raises(InputError, match=f"lacks '{word}'"):
            MeViSDataset(tmp_path)[0]
    meta.write_text("[]")
    with pytest.raises(InputError, match="no 'videos'"):
        MeViSDataset(tmp_path)
    meta.write_text(text)
    (tmp_path / "valid_u" / "mask_dict.json").unlink()
    with pytest.raises(NoInputError, match=r"mask_dict\.json is missing"):
        MeViSDataset(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"3": [null]}', r"lacks annotation 0"),
        ('{"0": []}', "has 0 frames"),
        ('{"0": [{"size": [2, 3], "counts": "06"}]}', "is 3 x 2 px"),
        ('{"0": [{"size"', "damaged at annotation 0"),
    ],
)
def test_masks_that_do_not_fit_are_refused(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "mask_dict.json"
    path.write_text(content)
    with pytest.raises(InputError, match=reason):
        MaskDict(path).mask(0, 0, 2, 4)


def test_a_frame_may_have_several_runs(tmp_path: Path) -> None:
    path = tmp_path / "mask_dict.json"
    runs = [{"size": [1, 4], "counts": [0, 1, 3]}, {"size": [1, 4], "counts": [2, 2]}]
    path.write_text(json.dumps({"7": [None], "0": [runs, None]}))
    masks = MaskDict(path)
    assert masks.mask(0, 0, 1, 4).tolist() == [[True, False, True, True]]
    assert not masks.mask(7, 0, 1, 4).any()
    path.write_text("")
    with pytest.raises(InputError, match="damaged"):
        MaskDict(path)
