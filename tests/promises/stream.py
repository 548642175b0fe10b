"""A job over a long video or many files that prints its memory.

Lines of two numbers: frames done, and the most bytes that this process and its decoder together
held since the line before.
"""

import sys
from pathlib import Path
from threading import Thread
from time import sleep

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from jobs.stub import RecordingProgress, StubModel, job_for, run_stub

from vlseg_cli.jobs import JobSettings, run_job
from vlseg_cli.media import list_inputs
from vlseg_cli.models.base import Segmenter
from vlseg_cli.models.registry import load_model
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Categories, Expression, Frame, Item, PromptRequest, Regions, Task
from vlseg_cli.schema.region import box_region

_SAMPLES = 100
_INTERVAL = 0.02  # seconds


class Peak:
    """The peak of memory since the last call, sampled in a thread: the queue between decoder and
    model fills and empties too fast for occasional samples."""

    def __init__(self) -> None:
        self._most = 0
        Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while True:
            sleep(_INTERVAL)
            self._most = max(self._most, _resident())

    def take(self) -> int:
        most, self._most = max(self._most, _resident()), 0
        return most


class MemoryLog(RecordingProgress):
    """Prints the memory a hundred times during the run."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.peak = Peak()
        self.every = max(1, total // _SAMPLES)
        self.printed = 0

    def frames(self, count: int) -> None:
        super().frames(count)
        if self.frame_count >= self.printed + self.every:
            self.printed = self.frame_count
            print(self.frame_count, self.peak.take(), flush=True)

    def records(self, records: object) -> None:
        """Nothing is kept: the measure must not grow by itself."""

    def item(self, source: str, error: str | None) -> None:
        assert error is None, error


def _resident() -> int:
    me = psutil.Process()
    return sum(_own(one) for one in (me, *me.children(recursive=True)))


def _own(process: psutil.Process) -> int:
    """Bytes that a process allocated; none once it has ended. Pages of files are not counted: the
    system caches them as it likes."""
    try:
        if sys.platform != "linux":
            return int(process.memory_info().rss)
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except (psutil.NoSuchProcess, OSError):
        return 0
    words = [line.split() for line in lines]
    return 1024 * sum(int(w[1]) for w in words if w[0] in ("RssAnon:", "RssShmem:", "VmSwap:"))


def track(film: Path, out: Path, log: MemoryLog, model: str) -> None:
    """Track categories, an expression and a region through a video.

    model: 'stub', or the name of a model.
    """
    chosen: Segmenter = StubModel() if model == "stub" else load_model(model)
    names = Categories(chosen.categories, chosen.stuff)

    def build(_model: Segmenter, _item: Item, frame: Frame) -> list[PromptRequest]:
        return [
            PromptRequest(frame.index, Task.VIS, names),
            PromptRequest(frame.index, Task.REFER, Expression("the orange dog")),
            PromptRequest(
                frame.index,
                Task.VOS,
                Regions((box_region((175, 115, 245, 170), *frame.pixels.shape[:2]),)),
            ),
        ]

    settings = JobSettings(OutputFolder(out), ("jsonl",), tracking=True)
    job = job_for(["the orange dog"], ("jsonl",), 1, settings.chunk_frames, settings.clip)
    found = list(list_inputs([str(film)]))
    run_job(job, settings, found, lambda: chosen, build, log)


def main() -> None:
    out, kind, source, count = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    log = MemoryLog(count)
    if kind == "track":
        track(source, out, log, sys.argv[5])
    elif kind == "video":
        run_stub(out, [source], formats=("jsonl",), chunk_frames=240, progress=log)
    else:
        run_stub(out, [source], formats=("jsonl",), batch_size=4, progress=log)


main()
