"""The class lists of closed vocabularies: ids on disk, names, and synonyms used as prompts.

``class_names.json`` has a row per class: its id in the files, its name, 1 for a thing, and, for
open-vocabulary sets, the synonyms of bytedance/fc-clip in one string.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from vlseg_cli.schema import Categories

# Prompt of a class: its name in the files, the name without COCO's suffixes of merged classes
# (MVP-LM), or all synonyms (PSALM on open vocabularies).
Naming = Literal["plain", "clean", "synonyms"]

_ENDINGS = ("-merged", "-other", "-stuff")
_MANY = 200  # with more classes, only the first synonym is used


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The classes of a data set in the order of its files."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    things: tuple[bool, ...]
    synonyms: tuple[str, ...]

    def prompt(self, naming: Naming) -> Categories:
        """The prompt for all classes."""
        return Categories(self._prompts(naming), tuple(not thing for thing in self.things))

    def rename(self, naming: Naming) -> Callable[[str], str]:
        """Maps a class name in the files to its prompt; unknown names stay."""
        prompts = dict(zip(self.names, self._prompts(naming), strict=True))
        return lambda name: prompts.get(name, clean(name) if naming == "clean" else name)

    def _prompts(self, naming: Naming) -> tuple[str, ...]:
        if naming == "synonyms":
            several = len(self.names) <= _MANY
            return tuple(s if several else s.partition(",")[0] for s in self.synonyms)
        return tuple(map(clean, self.names)) if naming == "clean" else self.names


@cache
def class_table(vocabulary: str) -> ClassTable:
    """A class list of ``class_names.json``, such as 'ade20k'."""
    text = files("vlseg_cli.datasets").joinpath("class_names.json").read_text("utf-8")
    ids, names, things, *synonyms = zip(*json.loads(text)[vocabulary], strict=True)
    flags = tuple(bool(thing) for thing in things)
    return ClassTable(ids, names, flags, tuple(synonyms[0]) if synonyms else names)


def clean(name: str) -> str:
    """'wall-other-merged' to 'wall'."""
    for ending in _ENDINGS:
        name = name.replace(ending, "")
    return name
