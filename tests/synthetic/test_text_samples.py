"""The labels of text samples agree with their texts."""

import numpy as np

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language.knowledge import facts
from vlseg_cli.synthetic.text_samples import POSITIONS, text_sample
from vlseg_cli.synthetic.vocabulary import split


def test_labels_are_known_words_and_occur_in_the_text() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3000):
        exercise = text_sample(rng)
        assert exercise.categories <= set(BY_NAME)
        assert exercise.position is None or exercise.position in POSITIONS
        spoken = set(split(exercise.text))
        if exercise.color is not None:
            assert exercise.color in spoken
        elif exercise.anchor is None and len(exercise.categories) == 1 and exercise.position:
            assert not spoken & set(COLORS)


def test_every_position_occurs() -> None:
    rng = np.random.default_rng(1)
    assert {text_sample(rng).position for _ in range(8000)} == {*POSITIONS, None}


def test_held_out_wordings_stay_out() -> None:
    rng = np.random.default_rng(2)
    texts = " | ".join(text_sample(rng).text for _ in range(5000))
    assert not [wording for fact in facts() for wording in fact.heldout if wording in texts]
