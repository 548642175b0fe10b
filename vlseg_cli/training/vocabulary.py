"""The vocabulary of the synthetic scenes, for models that are trained from random weights.

It is not in ``models/``, as a model takes any tokenizer and class list.
"""

from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.hands import DEFAULT_HAND, hand_named
from vlseg_cli.synthetic.language.wide.corpus import trained_words
from vlseg_cli.synthetic.language.wide.outside import outside_nouns
from vlseg_cli.synthetic.text_samples import positions_of
from vlseg_cli.synthetic.vocabulary import words


def synthetic_vocabulary(hand: str = DEFAULT_HAND) -> TrainingVocabulary:
    """Words, categories and attributes of the synthetic scenes of a hand."""
    drawn_by, positions = hand_named(hand), positions_of(hand)
    names, stuff, colors = drawn_by.categories, drawn_by.stuff, tuple(COLORS)
    if drawn_by.language == "first":
        return TrainingVocabulary(words(), names, stuff, colors, positions)
    unknown = outside_nouns()[0]
    return TrainingVocabulary(trained_words(), names, stuff, colors, positions, unknown)
