"""The first hand draws what it always drew; the others keep to what their names promise."""

import hashlib
from collections.abc import Iterable

import pytest

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.hands import HANDS
from vlseg_cli.synthetic.scene import Scene


def _digest(scenes: Iterable[Scene]) -> str:
    digest = hashlib.sha256()
    for scene in scenes:
        digest.update(scene.pixels.tobytes() + scene.ids.tobytes() + scene.scene_type.encode())
        for i in scene.items:
            facts = (i.id, i.category, i.is_thing, i.color, i.box, i.center, i.area, i.size, i.on)
            digest.update(repr(facts).encode())
    return digest.hexdigest()[:16]


def test_the_first_hand_draws_the_scenes_of_the_first_release() -> None:
    """Recorded before other hands existed: models were trained and figures published on them."""
    scenes = [
        draw_scene(seed, (64, 256)[seed % 2], hand="first") for seed in range(900_000, 900_020)
    ]
    assert _digest(scenes) == "b365ad5fbe5a37db"
    clips = [frame for seed in range(6) for frame in draw_clip(seed, 5, 80, hand="first")]
    assert _digest(clips) == "7e7d45b51f5afd36"


def test_an_unknown_hand_is_an_error_that_names_the_others() -> None:
    with pytest.raises(UsageError, match="wide"):
        draw_scene(1, hand="left")


def test_a_scene_lists_the_categories_of_its_hand() -> None:
    for name, hand in HANDS.items():
        scene = draw_scene(3, 96, hand=name)
        assert scene.categories == hand.categories
        assert {item.category for item in scene.items} <= set(scene.categories)
