"""All drawings of every category: the first, painted by a function, and those written as data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from vlseg_cli.synthetic.drawing.constructions.parts import read_parts
from vlseg_cli.synthetic.drawing.objects import ANY, DRAWINGS, FUR, GOODS, TIMBER, Drawing
from vlseg_cli.synthetic.hands import Constructions

COLOR_SETS: Mapping[str, tuple[str, ...]] = {
    "any": ANY,
    "goods": GOODS,
    "timber": TIMBER,
    "fur": FUR,
    "metal": ("grey", "grey", "white", "black"),
}


@dataclass(frozen=True, slots=True)
class DrawingSet:
    """The drawings of one category: those that models are trained on, and those held out."""

    trained: tuple[Drawing, ...] = ()
    held_out: tuple[Drawing, ...] = ()


@lru_cache(maxsize=1)
def all_drawings() -> Mapping[str, DrawingSet]:
    """The drawings by category."""
    found = {name: DrawingSet((drawing,)) for name, drawing in DRAWINGS.items()}
    folder = files("vlseg_cli.synthetic.drawing.constructions")
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            for category, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
                found[category] = _with_table(found.get(category, DrawingSet()), category, table)
    return found


def _with_table(known: DrawingSet, category: str, table: Mapping[str, Any]) -> DrawingSet:
    """The known drawings of a category and those of its table."""
    first = DRAWINGS.get(category)
    shared = {key: value for key, value in table.items() if not isinstance(value, dict)}
    if first is not None:
        shared = {"height": first.height, "colors": first.colors, "tilt": first.tilt} | shared
    trained, held_out = list(known.trained), list(known.held_out)
    for row in (value for value in table.values() if isinstance(value, dict)):
        (held_out if row.get("held_out") else trained).append(_drawing(shared | row))
    return DrawingSet(tuple(trained), tuple(held_out))


def _drawing(row: Mapping[str, Any]) -> Drawing:
    low, high = row["aspect"]
    colors, top = row["colors"], row.get("top")
    return Drawing(
        paint=read_parts(row["parts"]).paint,
        height=float(row["height"]),
        aspects=((float(low), float(high)),),
        colors=COLOR_SETS[colors] if isinstance(colors, str) else tuple(colors),
        top=None if top is None else (top[0], top[1], top[2]),
        tilt=float(row.get("tilt", 2.0)),
        variant=row.get("variant"),
    )


def drawings_of(category: str, constructions: Constructions) -> tuple[Drawing, ...]:
    """The drawings of a category that a hand may use; at least one."""
    known = all_drawings()[category]
    if constructions == "first":
        return known.trained[:1]
    return known.trained if constructions == "trained" else known.held_out
