"""What was typed after an option, as a value: times, batch sizes, formats, seeds."""

import math

from vlseg_cli.cli.wording import each_once, shown
from vlseg_cli.schema.errors import UsageError, nearest

AUTOMATIC = ("overlay", "video", "coco")  # formats of --save auto
TRACKED = ("video", "coco", "ytvis")  # the same, of tracks


def parse_seconds(text: str) -> float:
    """'90', '1:30' and '0:01:30.5' to seconds. Raises UsageError for anything else."""
    *larger, smallest = text.strip().split(":")
    try:
        parts = [*map(_whole, larger), float(smallest)]
    except ValueError:
        parts = []
    if len(parts) in (1, 2, 3) and 0 <= parts[-1] < math.inf and all(n < 60 for n in parts[1:]):
        return math.fsum(n * 60.0**power for power, n in enumerate(reversed(parts)))
    raise UsageError(
        f"{shown(text)} is no time: write seconds, mm:ss or hh:mm:ss, as in 90 or 1:30."
    )


def _whole(text: str) -> float:
    if not (text.isdecimal() and len(text) < 10):
        raise ValueError(text)
    return float(text)


def parse_batch_size(text: str) -> int | None:
    """'8' to a number, 'auto' to None. Raises UsageError for anything else."""
    if text == "auto":
        return None
    if not text.isdecimal() or len(text) > 4 or int(text) < 1:
        raise UsageError(f"--batch-size {shown(text)}: write a number from 1 to 9999, or auto.")
    return int(text)


def parse_formats(
    text: str, has_map: bool, option: str = "--save", automatic: tuple[str, ...] = AUTOMATIC
) -> tuple[str, ...]:
    """'coco,overlay' to format names, 'none' to none, 'auto' to the automatic ones.

    has_map: whether the task makes panoptic maps. option: where the text stands. Raises UsageError
    for an unknown format, or for a map that the task does not make.
    """
    from vlseg_cli.outputs import FORMATS

    names = each_once(text.split(","))
    if names in ((), ("none",)):
        return ()
    if names == ("auto",):
        return automatic
    for name in names:
        if name not in FORMATS:
            raise UsageError(
                f"{option} does not know {shown(name)}{nearest(name, FORMATS)}"
                f" (there is {', '.join(FORMATS)}; or auto or none alone)."
            )
        if FORMATS[name].needs_map and not has_map:
            raise UsageError(
                f"{option} {name} needs a map of the whole picture: only 'vlseg segment' with"
                " --task panoptic or semantic makes one."
            )
    return names


def parse_seeds(text: str) -> range:
    """'900000:900300' to a range. Raises UsageError for anything else, or an empty range."""
    first, colon, last = text.partition(":")
    if not (colon and first.strip().isdecimal() and last.strip().isdecimal()):
        raise UsageError(f"--seeds {text!r} is no range: write A:B, as in 900000:900300.")
    seeds = range(int(first), int(last))
    if not seeds:
        raise UsageError(f"--seeds {text} holds no seed: B must be greater than A.")
    return seeds
