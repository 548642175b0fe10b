"""Where a run takes its frames from: files through the decoder, or anything that reads like it."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self

from vlseg_cli.jobs.unit import Unit
from vlseg_cli.media import Request
from vlseg_cli.schema import Frame, Item

Key = tuple[Unit, Item]


class FrameSource(Protocol):
    """As ``media.Decoder``; entered while the job runs."""

    def read(
        self, requests: Iterable[tuple[Key, Request]]
    ) -> Iterator[tuple[Key, Iterator[Frame]]]:
        """For each request in order its key and its frames; taking one may raise InputError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
