"""The column regions: 'box 40,30,200,150; point 120,80', or the same as a JSON list.

=========  ===============================  ============================
kind       written in words                 written in JSON
=========  ===============================  ============================
point      point 120,80                     {"point": [120, 80]}
box        box 40,30,200,150                {"box": [40, 30, 200, 150]}
scribble   scribble 10,20 60,40 90,80       {"scribble": [[10, 20], …]}
mask       mask cup.png                     {"mask": "cup.png"}
=========  ===============================  ============================

Blanks part the points of a scribble, and semicolons part regions, so neither needs the other's
sign. A point may have several x,y, all of one object. Mask files lie where the prompts file lies.
"""

from itertools import chain
from pathlib import Path
from typing import Any

from vlseg_cli.cli.regions import RegionPrompt, RegionPrompts, numbers_in, points_of
from vlseg_cli.cli.wording import shown
from vlseg_cli.schema import UsageError
from vlseg_cli.schema.region import Point


def read_regions(value: Any, folder: Path) -> RegionPrompts:
    """Read either way of writing regions; ``value`` is a text or a list.

    Raises UsageError showing how regions are written.
    """
    places: RegionPrompts = ()
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(";")]
        places = tuple(_from_words(part, folder) for part in parts if part)
    elif isinstance(value, list):
        places = tuple(_from_json(part, folder) for part in value)
    if not places:
        raise _unknown(value)
    return places


def _from_words(text: str, folder: Path) -> RegionPrompt:
    kind, _, rest = text.partition(" ")
    if kind == "mask":
        return _mask(rest.strip(), folder)
    return _drawn(kind, points_of(numbers_in(rest.strip(), r"[,\s]+")), text)


def _from_json(value: Any, folder: Path) -> RegionPrompt:
    if not (isinstance(value, dict) and len(value) == 1):
        raise _unknown(value)
    ((kind, written),) = value.items()
    if kind == "mask" and isinstance(written, str):
        return _mask(written, folder)
    return _drawn(kind, points_of(_flat(written)), value)


def _flat(written: Any) -> list[float]:
    """[x, y, …] or [[x, y], …] as numbers; none at all if anything else is among them."""
    if not isinstance(written, list):
        return []
    parts = chain.from_iterable(one if isinstance(one, list) else [one] for one in written)
    return numbers_in(",".join(_digits(part) for part in parts))


def _digits(number: Any) -> str:
    return str(number) if isinstance(number, int | float) else "?"


def _drawn(kind: str, points: tuple[Point, ...], written: Any) -> RegionPrompt:
    match kind, len(points):
        case ("point" | "scribble" as drawn, count) if count:
            return RegionPrompt(drawn, points)
        case "box", 2:
            return RegionPrompt("box", points)
        case _:
            raise _unknown(written)


def _mask(name: str, folder: Path) -> RegionPrompt:
    path = folder / name
    try:
        if name and path.is_file():
            return RegionPrompt("mask", path)
    except (OSError, ValueError):
        pass
    raise UsageError(f"there is no mask file {shown(name)} beside the prompts file.")


def _unknown(written: Any) -> UsageError:
    return UsageError(
        f"{shown(written)} is no region: write 'point x,y', 'box x0,y0,x1,y1', 'scribble x,y x,y …'"
        " or 'mask FILE', in pixels, with ; between several."
    )
