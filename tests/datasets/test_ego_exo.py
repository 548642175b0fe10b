"""Ego-Exo4D's processed takes: pairs of views in both directions, and what is broken."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.ego_exo import EgoExoDataset
from vlseg_cli.datasets.toy.clips import toy_clip
from vlseg_cli.datasets.toy.video_objects import write_ego_exo
from vlseg_cli.schema import InputError, NoInputError, Regions

SEEDS, SIZE = range(910000, 910002), 64


@pytest.mark.parametrize(("query", "given"), [("ego", 0), ("exo", 1)])
def test_objects_of_one_view_are_asked_for_in_the_other(
    tmp_path: Path, query: str, given: int
) -> None:
    assert write_ego_exo(tmp_path, SEEDS, 2, SIZE) == len(SEEDS)
    dataset = EgoExoDataset(tmp_path, query)
    for number in range(len(dataset)):
        sample = dataset[number]
        take, frame = sample.source.split("/")
        scenes = toy_clip(int(take), 4, SIZE)
        moment = int(frame) // 30 * 2
        (text_of,) = sample.queries
        masks = text_of.masks(1)
        assert sample.length == 2 and text_of.masks(0) is None and masks is not None
        assert isinstance(text_of.prompt, Regions)
        ids = [
            thing.id
            for thing in scenes.things
            if all((scenes.scenes[moment + view].ids == thing.id).any() for view in (0, 1))
        ]
        there = scenes.scenes[moment + 1 - given].ids
        assert (masks == (there == np.array(ids)[:, None, None])).all()
        here = scenes.scenes[moment + given].ids
        regions = np.stack([region.mask for region in text_of.prompt.regions])
        assert (regions == (here == np.array(ids)[:, None, None])).all()
        assert sample.read(1).pixels.any() and dataset.source(number) == sample.read(1).source


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    write_ego_exo(tmp_path, SEEDS[:1], 2, SIZE)
    path = Path(EgoExoDataset(tmp_path).source(0))
    Image.new("RGB", (7, 5)).save(path)
    with pytest.raises(InputError, match=r"annotation\.json is damaged: .* its image is 7 x 5"):
        EgoExoDataset(tmp_path)[0]
    (annotation,) = tmp_path.glob("*/annotation.json")
    annotation.write_text(json.dumps({"masks": {}}))
    with pytest.raises(NoInputError, match="masks of one object in two cameras"):
        EgoExoDataset(tmp_path)
    annotation.write_text("{}")
    with pytest.raises(InputError, match="no 'masks'"):
        EgoExoDataset(tmp_path)
