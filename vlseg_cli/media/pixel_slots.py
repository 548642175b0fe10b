"""Memory that the decoder and its parent share: pixels cross in it, where a pipe would copy twice.

A file without a name, cut into slots. The child fills a free one and says which; the parent copies
it out and says that it is free again. Pictures larger than a slot cross in pieces.
"""

import mmap
import os
import tempfile
from contextlib import suppress
from queue import SimpleQueue

SLOT_BYTES = 1 << 23  # a 1080p frame fits
_SLOTS = 4


class PixelSlots:
    """One side's view of the memory. ``free`` is kept by the child alone."""

    def __init__(self, file: int) -> None:
        """file: descriptor of what ``open_memory`` returned; it stays the caller's."""
        self._memory = mmap.mmap(file, _SLOTS * SLOT_BYTES)
        self.free: SimpleQueue[int] = SimpleQueue()
        for slot in range(_SLOTS):
            self.free.put(slot)

    def fill(self, data: memoryview) -> int:
        """Copy at most ``SLOT_BYTES`` into a free slot, waiting for one; returns its number."""
        slot = self.free.get()
        start = slot * SLOT_BYTES
        self._memory[start : start + len(data)] = data
        return slot

    def empty(self, slot: int, into: memoryview) -> None:
        """Copy a slot out. Raises ValueError if there is no such slot, or it is too small."""
        if not (0 <= slot < _SLOTS and 0 < len(into) <= SLOT_BYTES):
            raise ValueError(f"slot {slot} of {len(into)} bytes")
        start = slot * SLOT_BYTES
        with memoryview(self._memory) as memory:
            into[:] = memory[start : start + len(into)]

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def open_memory() -> int:
    """A descriptor of memory for the slots, to be handed to the child; pages are taken as used."""
    with suppress(AttributeError):  # Linux has memory without a file system
        file = os.memfd_create("vlseg")
        os.truncate(file, _SLOTS * SLOT_BYTES)
        return file
    with tempfile.TemporaryFile() as opened:
        file = os.dup(opened.fileno())
        os.truncate(file, _SLOTS * SLOT_BYTES)
        return file
