"""The vocabulary of the synthetic scenes, for models that are trained from random weights.

It is not in ``models/``, as a model takes any tokenizer and class list.
"""

from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.synthetic.text_samples import POSITIONS
from vlseg_cli.synthetic.vocabulary import words


def synthetic_vocabulary() -> TrainingVocabulary:
    """Words, categories and attributes of the synthetic scenes."""
    return TrainingVocabulary(tuple(words()), NAMES, STUFF, tuple(COLORS), POSITIONS)
