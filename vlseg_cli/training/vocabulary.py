"""The vocabulary of the synthetic scenes, for models that are trained from random weights.

It is not in ``models/``, as a model takes any tokenizer and class list.
"""

from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.hands import DEFAULT_HAND, hand_named
from vlseg_cli.synthetic.text_samples import POSITIONS
from vlseg_cli.synthetic.vocabulary import words


def synthetic_vocabulary(hand: str = DEFAULT_HAND) -> TrainingVocabulary:
    """Words, categories and attributes of the scenes of a hand."""
    drawn = hand_named(hand)
    return TrainingVocabulary(
        tuple(words()), drawn.categories, drawn.stuff, tuple(COLORS), POSITIONS
    )
