"""Words that denote nothing in any scene: nouns of other things, and invented words.

A model that has only met names it knows draws whatever is near under any other name.
"""

import zlib
from functools import lru_cache
from importlib.resources import files

from numpy.random import Generator

from vlseg_cli.synthetic.language.wide.corpus import trained_words
from vlseg_cli.synthetic.rng import choice

_INVENTED = 0.2  # share of words that are no English
_STARTS = (
    *("b", "bl", "br", "ch", "d", "dr", "f", "fl", "g", "gl", "gr", "j", "k", "kl", "m", "n"),
    *("p", "pl", "qu", "r", "s", "sk", "sn", "sp", "st", "t", "tr", "v", "w", "y", "z", "zw"),
)
_VOWELS = ("a", "e", "i", "o", "u", "oo", "ee", "ou", "a", "o")
_ENDS = ("b", "bble", "ck", "d", "ff", "g", "lp", "m", "mp", "n", "nk", "p", "rp", "rf", "x", "zz")
_HELD_OUT = 8  # one of so many invented words is held out


@lru_cache(maxsize=1)
def outside_nouns() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Nouns of no category: for training, and those held out (the lines that begin with '-')."""
    text = files("vlseg_cli.synthetic.language.wide").joinpath("nouns.txt").read_text("utf-8")
    lines = [line.split(", ") for line in text.splitlines() if line and line[0] != "#"]
    kept = [line for line in lines if line[0].startswith("- ")]
    trained = tuple(word for line in lines if line not in kept for word in line)
    return trained, tuple(word.removeprefix("- ") for line in kept for word in line)


def outside_noun(rng: Generator, heldout: bool) -> str:
    """A noun of no category or an invented word; those held out are never used in training."""
    if rng.random() < _INVENTED:
        return _invented(rng, heldout)
    trained, kept = outside_nouns()
    return choice(rng, kept if heldout else trained)


def _invented(rng: Generator, heldout: bool) -> str:
    """'florp', 'snoobble': of the trained or of the held-out ones by their checksum."""
    while True:
        first = choice(rng, _STARTS) + choice(rng, _VOWELS)
        second = choice(rng, _STARTS) + choice(rng, _VOWELS) if rng.random() < 0.4 else ""
        word = first + second + choice(rng, _ENDS)
        if is_held_out(word) == heldout and word not in _real_words():
            return word


def is_held_out(word: str) -> bool:
    """Whether an invented word is one of those never used in training."""
    return zlib.crc32(word.encode()) % _HELD_OUT == 0


@lru_cache(maxsize=1)
def _real_words() -> frozenset[str]:
    """What the invented words must not be."""
    return frozenset(trained_words())
