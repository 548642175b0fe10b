"""Every word that training in the wide language can use, from its frames, nouns and facts."""

import re
from functools import lru_cache

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.language.knowledge import facts
from vlseg_cli.synthetic.language.templates import NUMBERS, ORDINALS, SIDES, SIZE_WORDS
from vlseg_cli.synthetic.language.wide.frames import frame_tables
from vlseg_cli.synthetic.language.wide.nouns import HYPERNYMS, plural_of, words_of

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SLOT = re.compile(r"\{\w+\}")


def split(text: str) -> list[str]:
    """Lower-case words and single punctuation marks."""
    return _TOKEN.findall(text.lower())


@lru_cache(maxsize=1)
def trained_words() -> tuple[str, ...]:
    """The words of all trained frames and wordings, and of all names, sorted."""
    texts = [_SLOT.sub(" ", frame) for table in frame_tables().values() for frame in table.trained]
    texts += [wording for fact in facts("wide") for wording in fact.trained]
    names = [word for category in BY_NAME for word in words_of(category)] + list(HYPERNYMS)
    texts += [form for name in names for form in (name, plural_of(name))]
    texts += [*COLORS, *NUMBERS, *ORDINALS, *SIDES, *sum(SIZE_WORDS.values(), ()), "a", "an"]
    texts += ["leftmost", "rightmost", "topmost", "lowest", "biggest", "smallest"]
    return tuple(sorted({word for text in texts for word in split(text)}))
