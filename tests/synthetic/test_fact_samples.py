"""Facts without an image agree with the scene that they are about."""

import numpy as np
import pytest

from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.fact_samples import synthetic_fact_sample
from vlseg_cli.synthetic.samples import SampleMix

MIX = SampleMix(sentences=8, questions=4, no_target=0.2)


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_boxes_and_areas_are_those_of_the_visible_objects(seed: int) -> None:
    sample, scene = synthetic_fact_sample(seed, MIX), draw_scene(seed, 96)
    assert sample.names == tuple(item.category for item in scene.items)
    for item, (cx, cy, w, h), area in zip(scene.items, sample.boxes, sample.areas, strict=True):
        rows, columns = np.nonzero(scene.mask(item.id))
        assert np.allclose(
            [cx - w / 2, cx + w / 2], np.array([columns.min(), columns.max() + 1]) / 96
        )
        assert np.allclose([cy - h / 2, cy + h / 2], np.array([rows.min(), rows.max() + 1]) / 96)
        assert area * 96**2 == pytest.approx(len(rows))


def test_sentences_have_targets_and_some_have_none() -> None:
    sentences = [s for seed in range(30) for s in synthetic_fact_sample(seed, MIX).sentences]
    none = sum(not meant.any() for _, meant in sentences) / len(sentences)
    assert 0.05 < none < 0.3


def test_the_same_seed_gives_the_same_facts() -> None:
    one, other = synthetic_fact_sample(3, MIX), synthetic_fact_sample(3, MIX)
    assert [text for text, _ in one.sentences] == [text for text, _ in other.sentences]
    assert np.array_equal(one.boxes, other.boxes)
