"""The run itself: frames come decoded, are answered in batches, and go to be written.

Decoding happens in a child process and writing in a thread, so the model, here in the main thread,
never waits for them if it is the slowest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.jobs.inference import FrameInference
from vlseg_cli.jobs.job import JobSettings
from vlseg_cli.jobs.stop import Stop
from vlseg_cli.jobs.work_queue import WorkQueue
from vlseg_cli.jobs.work_units import Chunk, FrameSource, ItemResult, Key, WorkUnit
from vlseg_cli.jobs.writer import Writer
from vlseg_cli.media import Request
from vlseg_cli.schema import Frame, InputError, Item, Record, VlsegError


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything a run is made of."""

    work: WorkQueue
    source: FrameSource
    answering: FrameInference
    writer: Writer
    stop: Stop
    settings: JobSettings

    def run(self) -> None:
        """Go through all units; stops early, with everything kept that is complete, if asked."""
        batch: list[tuple[Item, Frame]] = []
        shares: list[ItemResult] = []
        for (unit, item), frames in self.source.read(self._requests()):
            if self.stop:
                return
            if unit.is_video:
                self._video(unit, item, frames)
                continue
            shares.append(_read_image(item, frames, batch))
            if item is unit.items[-1]:
                self._images(unit, shares, batch)
                batch, shares = [], []

    def _requests(self) -> Iterator[tuple[Key, Request]]:
        for unit in self.work.units():
            for item in unit.items:
                if self.stop:
                    return
                request = Request(Path(item.source), item.is_video, self.settings.clip, unit.frames)
                yield (unit, item), request

    def _images(
        self, unit: WorkUnit, shares: list[ItemResult], batch: list[tuple[Item, Frame]]
    ) -> None:
        """Answer a batch of images and end its only part."""
        answers = self.answering.predict(batch)
        by_item = {share.item.number: share for share in shares}
        for (item, frame), answer in zip(batch, answers, strict=True):
            share = by_item[item.number]
            if isinstance(answer, VlsegError):
                share.fail(answer)
            else:
                share.frames, share.records = 1, answer
                self.writer.write(frame, item, 0, answer)
        self._end(Chunk(unit, 0, True, tuple(shares)))

    def _video(self, unit: WorkUnit, item: Item, frames: Iterator[Frame]) -> None:
        """Answer a video batch by batch, part by part, from where it was left."""
        share, part = ItemResult(item), unit.parts
        self.answering.begin(part, self.work.state(unit))
        batch: list[tuple[Item, Frame]] = []
        failure: InputError | None = None
        while True:
            try:
                frame = next(frames, None)
            except InputError as error:
                frame, failure = None, error
            if self.stop:
                self.writer.abandon()
                return
            full = share.frames + len(batch) == self.settings.part_frames
            if batch and (frame is None or full or len(batch) == self.answering.batch_size):
                self._answer(batch, share, part)
                batch = []
            if frame is None:
                break
            if full:
                self._end(Chunk(unit, part, False, (share,), self.answering.state()))
                share, part = ItemResult(item), part + 1
            batch.append((item, frame))
        wrong = self.answering.end()
        for what in (failure, wrong):
            if what is not None:
                share.fail(what)
        self._end(Chunk(unit, part, True, (share,)))

    def _end(self, part: Chunk) -> None:
        self.writer.end(part)
        if self.settings.fail_fast and any(share.error is not None for share in part.shares):
            self.stop.failed = True

    def _answer(self, batch: list[tuple[Item, Frame]], share: ItemResult, part: int) -> None:
        for (item, frame), answer in zip(batch, self.answering.predict(batch), strict=True):
            records: list[Record] = []
            if isinstance(answer, VlsegError):
                share.fail(answer, f"frame {frame.index}: ")
            else:
                records = answer
            share.frames += 1
            share.records += records
            self.writer.write(frame, item, part, records)


def _read_image(item: Item, frames: Iterator[Frame], batch: list[tuple[Item, Frame]]) -> ItemResult:
    """Put an image into the batch, or note why it cannot be read."""
    share = ItemResult(item)
    try:
        batch += [(item, frame) for frame in frames]
    except InputError as error:
        share.fail(error)
    return share
