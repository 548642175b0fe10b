"""The classes of the closed vocabularies: ids on disk, names, and the synonyms papers ask with.

``class_names.json`` has a line per class: its id in the files, its name, 1 for a thing, and, for
open-vocabulary sets, the synonyms of bytedance/fc-clip in one string.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from vlseg_cli.schema import Categories

# Which words stand for a class: its name in the files, the name without COCO's endings that mark
# merged classes (MVP-LM), or all synonyms (PSALM on open vocabularies).
Naming = Literal["plain", "clean", "synonyms"]

_ENDINGS = ("-merged", "-other", "-stuff")
_MANY = 200  # classes from which on only the first synonym is asked


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The classes of a set in the order of its files: ids, names and which are things."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    things: tuple[bool, ...]
    synonyms: tuple[str, ...]

    def asked(self, naming: Naming) -> Categories:
        """The prompt that asks for all of them."""
        return Categories(self._words(naming), tuple(not thing for thing in self.things))

    def rename(self, naming: Naming) -> Callable[[str], str]:
        """What to ask a class by its name in the files as; names it does not know stay."""
        words = dict(zip(self.names, self._words(naming), strict=True))
        return lambda name: words.get(name, clean(name) if naming == "clean" else name)

    def _words(self, naming: Naming) -> tuple[str, ...]:
        if naming == "synonyms":
            several = len(self.names) <= _MANY
            return tuple(s if several else s.partition(",")[0] for s in self.synonyms)
        return tuple(map(clean, self.names)) if naming == "clean" else self.names


@cache
def class_table(vocabulary: str) -> ClassTable:
    """A vocabulary of ``class_names.json``, as 'ade20k'."""
    text = files("vlseg_cli.datasets").joinpath("class_names.json").read_text("utf-8")
    ids, names, things, *synonyms = zip(*json.loads(text)[vocabulary], strict=True)
    flags = tuple(bool(thing) for thing in things)
    return ClassTable(ids, names, flags, tuple(synonyms[0]) if synonyms else names)


def clean(name: str) -> str:
    """'wall-other-merged' to 'wall'."""
    for ending in _ENDINGS:
        name = name.replace(ending, "")
    return name
