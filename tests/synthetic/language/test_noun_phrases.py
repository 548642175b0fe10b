"""Nouns are inflected correctly and never ambiguous within a scene."""

import numpy as np

from vlseg_cli.synthetic.categories import CATEGORIES
from vlseg_cli.synthetic.language.noun_phrases import article, noun, plural


def test_plurals() -> None:
    words = ("cup", "bus", "person", "human", "bench", "couch", "puppy", "pony", "sheep", "dish")
    assert [plural(word) for word in words] == [
        *("cups", "buses", "people", "humans", "benches", "couches"),
        *("puppies", "ponies", "sheep", "dishes"),
    ]


def test_articles() -> None:
    assert [article(word) for word in ("apple", "orange cup", "cup")] == ["an", "an", "a"]


def test_all_synonyms_of_a_category_occur() -> None:
    rng = np.random.default_rng(0)
    for category in CATEGORIES:
        assert {noun(rng, category.name) for _ in range(200)} == {category.name, *category.words}


def test_ambiguous_words_are_avoided() -> None:
    rng = np.random.default_rng(1)
    assert "seat" not in {noun(rng, "chair", {"chair", "sofa"}) for _ in range(200)}
    assert "light" not in {noun(rng, "lamp", {"lamp", "traffic light"}) for _ in range(200)}
