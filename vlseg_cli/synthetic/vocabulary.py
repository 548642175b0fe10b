"""Every word that the templates and the trained wordings can produce."""

import re
from functools import lru_cache

from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.language import templates
from vlseg_cli.synthetic.language.knowledge import facts
from vlseg_cli.synthetic.language.noun_phrases import plural
from vlseg_cli.synthetic.language.wide.corpus import split

_SLOT = re.compile(r"\{\w+\}")


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """The vocabulary, sorted; without words that only held-out wordings use."""
    texts = [*_templates(), *COLORS, "a", "an"]
    for category in map(BY_NAME.__getitem__, NAMES):
        for word in (category.name, *category.words):
            texts += [word, plural(word)]
    for fact in facts():
        texts += fact.trained
    return tuple(sorted({token for text in texts for token in split(text)}))


def _templates() -> list[str]:
    """All templates without their slots."""
    tables = [table for name, table in vars(templates).items() if name.isupper()]
    lists = [table.values() if isinstance(table, dict) else (table,) for table in tables]
    return [_SLOT.sub(" ", text) for several in lists for texts in several for text in texts]
