"""What an output format is: a live half that draws on pixels, and a half made from records alone.

A format has one or both. The live half works while the frames are at hand, during a run or when
``vlseg export`` reads the sources again; the closing half reads the job's record store.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Frame, Item, Record


class Sink(Protocol):
    """The live half. Calls come in order: frames of a part, ``end_part``, …, ``end_item``.

    An image is one part of one frame. A part of a video is a fixed number of frames; after a kill
    the parts that ended are kept and the others written again, so ``end_part`` must leave its
    work on disk and the same calls must leave the same bytes.
    """

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:
        """Take one frame and everything answered about it."""
        ...

    def end_part(self, item: Item, part: int) -> None:
        """Part number ``part`` (from 0) of an item is complete."""
        ...

    def end_item(self, item: Item, parts: int) -> None:
        """An item is complete and has this many parts; what parts left behind is joined.

        The parts stay: a kill may still come before the journal knows of the item.
        """
        ...

    def forget_parts(self, item: Item) -> None:
        """The journal knows that the item is complete: remove what its parts left behind."""
        ...

    def abandon(self) -> None:
        """The current part will not be completed: drop it, free its files."""
        ...


# Of a folder and all formats that are made in it.
Live = Callable[[OutputFolder, Sequence[str]], Sink]
Closing = Callable[[Iterable[Record], OutputFolder], None]


class Format(NamedTuple):
    """A name of ``--save``. ``records`` of ``close`` can be walked through several times.

    files: what it makes directly below the output folder, all that ``--overwrite`` may remove.
    videos_only: pictures give nothing. check: raises UsageError if this machine lacks what the
    format needs.
    """

    help: str
    files: tuple[str, ...]
    live: Live | None = None
    close: Closing | None = None
    needs_map: bool = False
    videos_only: bool = False
    check: Callable[[], None] | None = None
