"""Sentences without a scene: trained words alone, labels from the tables, nothing as a meaning."""

from collections import Counter

import numpy as np

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language.wide.corpus import split, trained_words
from vlseg_cli.synthetic.language.wide.outside import outside_nouns
from vlseg_cli.synthetic.language.wide.texts import WIDE_POSITIONS, wide_text_sample


def _samples(number: int) -> list:
    rng = np.random.default_rng(0)
    return [wide_text_sample(rng) for _ in range(number)]


def test_labels_are_in_the_tables() -> None:
    positions = Counter()
    for sample in _samples(8000):
        assert sample.categories <= set(BY_NAME)
        assert sample.color is None or sample.color in COLORS
        assert sample.anchor is None or sample.anchor in BY_NAME
        positions[sample.position] += 1
    assert set(positions) == {None, *WIDE_POSITIONS}
    assert len(set(WIDE_POSITIONS)) == len(WIDE_POSITIONS)


def test_some_sentences_are_about_nothing() -> None:
    samples = _samples(3000)
    nothing = [sample for sample in samples if not sample.categories]
    assert 0.05 < len(nothing) / len(samples) < 0.12


def test_sentences_have_trained_words_but_for_nothing() -> None:
    known = set(trained_words())
    trained, heldout = (set(split(" ".join(nouns))) for nouns in outside_nouns())
    kept = heldout - trained - known
    for sample in _samples(8000):
        words = set(split(sample.text))
        assert words.isdisjoint(kept), sample
        assert words <= known or not sample.categories, sample
