"""The trained words are those that sentences about scenes use, but for words of no category."""

import numpy as np

from vlseg_cli.synthetic.language.wide.corpus import split, trained_words
from vlseg_cli.synthetic.reasoning import reasoning_question
from vlseg_cli.synthetic.referring import referring_expression
from vlseg_cli.synthetic.scene import Scene


def test_splitting_takes_punctuation_apart_and_lowers_the_case() -> None:
    assert split("What's red-colored?") == ["what", "'", "s", "red", "-", "colored", "?"]


def test_sentences_with_a_target_use_trained_words(wide_scenes: list[Scene]) -> None:
    rng, known = np.random.default_rng(0), set(trained_words())
    for scene in wide_scenes:
        for _ in range(6):
            for sentence in (referring_expression(scene, rng), reasoning_question(scene, rng)):
                assert sentence is None or set(split(sentence.text)) <= known, sentence


def test_a_tokenizer_of_4096_pieces_has_room_for_them() -> None:
    assert 1500 < len(trained_words()) < 2600
