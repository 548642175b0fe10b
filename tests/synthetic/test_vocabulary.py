"""The vocabulary contains every word that training texts can contain."""

import numpy as np

from vlseg_cli.synthetic.categories import CATEGORIES
from vlseg_cli.synthetic.language.noun_phrases import plural
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import no_target_expression, referring_expression
from vlseg_cli.synthetic.scene import Scene
from vlseg_cli.synthetic.text_samples import text_sample
from vlseg_cli.synthetic.vocabulary import split, words


def test_splitting_takes_punctuation_apart_and_lowers_the_case() -> None:
    assert split("What keeps food cold?") == ["what", "keeps", "food", "cold", "?"]


def test_words_are_sorted_and_single() -> None:
    assert list(words()) == sorted(set(words()))


def test_every_word_of_many_scenes_is_known(scenes: list[Scene]) -> None:
    rng, known = np.random.default_rng(0), set(words())
    for scene in scenes:
        for _ in range(20):
            for sentence in (
                referring_expression(scene, rng),
                reasoning_question(scene, rng),
                no_target_expression(scene, rng),
            ):
                assert sentence is None or set(split(sentence.text)) <= known, sentence


def test_every_word_of_text_training_is_known() -> None:
    rng, known = np.random.default_rng(1), set(words())
    for _ in range(5000):
        assert set(split(text_sample(rng).text)) <= known


def test_every_word_is_produced_except_plurals_of_stuff() -> None:
    rng = np.random.default_rng(2)
    said = {word for _ in range(60_000) for word in split(text_sample(rng).text)}
    stuff = {plural(word) for category in CATEGORIES for word in category.words}
    assert set(words()) - said <= stuff
