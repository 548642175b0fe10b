"""A noun denotes its category alone; hypernyms comprise what people agree about."""

import numpy as np

from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.language.wide.nouns import (
    HYPERNYMS,
    has_noun,
    kin_of,
    noun,
    plural_of,
    wide_groups,
)
from vlseg_cli.synthetic.scene import Scene, by_category


def test_an_ambiguous_noun_is_avoided() -> None:
    rng = np.random.default_rng(0)
    assert "building" in {noun(rng, "house", ("house",))[0] for _ in range(100)}
    assert "building" not in {noun(rng, "house", ("house", "windmill"))[0] for _ in range(100)}


def test_a_category_without_a_clear_word_is_not_named() -> None:
    assert has_noun("bird", ("bird",)) and not has_noun("bird", ("bird", "duck"))


def test_hypernyms_have_known_categories() -> None:
    for word, one in HYPERNYMS.items():
        assert (one.categories | one.unclear) <= set(BY_NAME), word
        assert one.categories.isdisjoint(one.unclear), word
        assert word not in BY_NAME


def test_groups_of_hypernyms_hold_all_of_their_categories(wide_scenes: list[Scene]) -> None:
    groups = 0
    for scene in wide_scenes:
        for group in wide_groups(scene):
            if group.category in HYPERNYMS and group.color is None:
                one = HYPERNYMS[group.category]
                assert one.unclear.isdisjoint(by_category(scene))
                inside = [item for item in scene.items if item.category in one.categories]
                assert set(group.items) == set(inside)
                groups += 1
    assert groups > 50


def test_plurals() -> None:
    assert [plural_of(word) for word in ("knife", "piece of furniture", "luggage", "sheep")] == [
        *("knives", "pieces of furniture", "luggage", "sheep"),
    ]


def test_kin_share_a_hypernym() -> None:
    assert {"sheep", "pig"} <= kin_of(("cow",)) and "car" not in kin_of(("cow",))
