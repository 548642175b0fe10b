"""Where the rows of each input stand in the file: 24 bytes a row, whatever is written in it."""

from array import array
from collections.abc import Iterator


class RowIndex:
    """Chains of rows, one for each input, in the order they were added."""

    def __init__(self) -> None:
        """Begin with no input and no row."""
        self._first, self._last = array("Q"), array("Q")  # row numbers, by input
        self._offsets, self._lines, self._next = array("Q"), array("Q"), array("Q")  # by row

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._next)

    def add(self, place: int, offset: int, line: int) -> None:
        """Add a row of input ``place``; a new input takes the next free place."""
        row = len(self)
        if place == len(self._first):
            self._first.append(row)
            self._last.append(row)
        else:
            self._next[self._last[place]] = row
            self._last[place] = row
        self._offsets.append(offset)
        self._lines.append(line)
        self._next.append(0)  # the end of a chain: row 0 follows nothing

    def rows(self, place: int) -> Iterator[tuple[int, int]]:
        """Offset and line of each row of an input, in order."""
        row = self._first[place]
        while True:
            yield self._offsets[row], self._lines[row]
            row = self._next[row]
            if not row:
                return
