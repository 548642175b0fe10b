"""Samples of facts: what is where in a scene, and sentences about it, without its image.

Scenes are drawn small, only to know what is visible; hundreds of sentences cost what an image does.
"""

import numpy as np

from vlseg_cli.schema.sample import FactSample
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import DEFAULT_HAND
from vlseg_cli.synthetic.samples import SampleMix, expressions, questions
from vlseg_cli.synthetic.scene import SceneItem

_STREAM = 3  # of a seed's random numbers
_SIZE = 96  # px


def synthetic_fact_sample(seed: int, mix: SampleMix, hand: str = DEFAULT_HAND) -> FactSample:
    """The facts of a hand's scene of a seed, with the mix's expressions and questions."""
    rng = np.random.default_rng((seed, _STREAM))
    scene = draw_scene(seed, _SIZE, hand=hand)
    items = scene.items
    sentences = [*expressions(scene, rng, mix), *questions(scene, rng, mix)]
    return FactSample(
        tuple(item.category for item in items),
        tuple(item.color for item in items),
        np.array([_box(item) for item in items]).reshape(-1, 4) / _SIZE,
        np.array([item.area for item in items]) / _SIZE**2,
        tuple((s.text, np.array([i.id in s.targets for i in items], bool)) for s in sentences),
    )


def _box(item: SceneItem) -> tuple[float, float, float, float]:
    """cx, cy, w, h in px."""
    x0, y0, x1, y1 = item.box
    return (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
