"""The frames of ``frames.toml``: sentences and noun phrases with slots, trained and held out."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from numpy.random import Generator

from vlseg_cli.synthetic.language.noun_phrases import article
from vlseg_cli.synthetic.rng import choice

_BARE = 0.12  # share of phrases without their leading article


@dataclass(frozen=True, slots=True)
class FrameTable:
    """The frames of one kind: those used in training, and those for evaluation only."""

    trained: tuple[str, ...]
    heldout: tuple[str, ...]


@lru_cache(maxsize=1)
def frame_tables() -> Mapping[str, FrameTable]:
    """Every table by its name: 'color', 'position.left'."""
    text = files("vlseg_cli.synthetic.language.wide").joinpath("frames.toml").read_text("utf-8")
    return dict(_tables("", tomllib.loads(text)))


def _tables(prefix: str, rows: dict[str, dict[str, object]]) -> Iterator[tuple[str, FrameTable]]:
    for name, row in rows.items():
        if "trained" in row:
            trained, heldout = row["trained"], row["heldout"]
            assert isinstance(trained, list) and isinstance(heldout, list)
            yield prefix + name, FrameTable(tuple(trained), tuple(heldout))
        else:
            yield from _tables(f"{prefix}{name}.", row)  # type: ignore[arg-type]


def keys(prefix: str) -> tuple[str, ...]:
    """'left', 'right' … for 'position': the tables under a name, in their order."""
    start = prefix + "."
    return tuple(name.removeprefix(start) for name in frame_tables() if name.startswith(start))


def filled(rng: Generator, name: str, heldout: bool, **slots: str) -> str:
    """A random frame of a table with its slots filled."""
    table = frame_tables()[name]
    return choice(rng, table.heldout if heldout else table.trained).format(**slots)


def noun_phrase(rng: Generator, name: str, heldout: bool, **slots: str) -> str:
    """A random noun phrase of a table; {an} fits the word after it, 'the' is left out at times."""
    table = frame_tables()[name]
    frame = choice(rng, table.heldout if heldout else table.trained)
    after = slots.get("c" if "{an} {c}" in frame else "n", "a")
    phrase = frame.format(an=article(after), **slots)
    return phrase.removeprefix("the ") if rng.random() < _BARE else phrase


def request(rng: Generator, phrase: str, many: bool, heldout: bool) -> str:
    """A request for a noun phrase: 'show me the red cup'; many: the phrase is a plural."""
    name = "ask"
    if (many or phrase.startswith("the ")) and rng.random() < 0.2:
        name = "ask_many" if many else "ask_one"
    text = filled(rng, name, heldout, np=phrase)
    return text.removesuffix("?") if rng.random() < 0.3 else text
