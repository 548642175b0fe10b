"""Region prompts of each kind overlap their item and differ from its exact mask."""

import numpy as np
import pytest

from vlseg_cli.schema.prompt import RegionKind
from vlseg_cli.synthetic.regions import REGION_KINDS, region_prompt
from vlseg_cli.synthetic.scene import Scene


@pytest.mark.parametrize("kind", REGION_KINDS)
def test_a_region_overlaps_its_item_and_is_not_the_truth(
    kind: RegionKind, scenes: list[Scene]
) -> None:
    rng = np.random.default_rng(0)
    for scene in scenes:
        for item in scene.items:
            region = region_prompt(scene, rng, kind, item)
            truth = scene.mask(item.id)
            assert region.kind == kind
            assert region.mask.shape == scene.ids.shape
            assert (region.mask & truth).any()
            assert kind != "mask" or not (region.mask == truth).all()


def test_scribbles_stay_inside(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    for scene in scenes[:20]:
        for item in scene.items:
            region = region_prompt(scene, rng, "scribble", item)
            assert not (region.mask & ~scene.mask(item.id)).any()


def test_points_hit_their_item_in_the_middle_of_the_disk(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    for scene in scenes[:20]:
        for item in scene.items:
            rows, columns = np.nonzero(region_prompt(scene, rng, "point", item).mask)
            inside = rows.min() > 0 and rows.max() < scene.ids.shape[0] - 1
            if inside and columns.min() > 0 and columns.max() < scene.ids.shape[1] - 1:
                y, x = round(float(rows.mean())), round(float(columns.mean()))
                assert scene.ids[y, x] == item.id


def test_painted_masks_are_close_to_the_truth(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(3)
    scores = []
    for scene in scenes:
        for item in scene.items:
            mask, truth = region_prompt(scene, rng, "mask", item).mask, scene.mask(item.id)
            scores.append((mask & truth).sum() / (mask | truth).sum())
    assert np.mean(scores) > 0.7
