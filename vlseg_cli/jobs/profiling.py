"""A trial: a few inputs run exactly as a job would, into a folder that is removed again."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from vlseg_cli.jobs.job import Job, JobSettings
from vlseg_cli.jobs.run import AskAbout, run_job
from vlseg_cli.jobs.shard import Shard
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Input, Record


@dataclass(slots=True)
class Profile:
    """What was answered and what it took; the run reports to it as to any progress.

    written: bytes of results. memory: bytes in use at the peak, children included. failed: inputs
    and why.
    """

    answered: int = 0
    written: int = 0
    memory: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def cost(self, frames: int) -> tuple[float, float]:
        """Seconds and bytes of so many frames."""
        return frames * self.seconds / self.answered, frames * self.written / self.answered

    def start(self, total: int, done: int) -> None:
        """Nothing is known yet."""

    def frames(self, count: int) -> None:
        """So many more frames are answered and written."""
        self.answered += count
        self.memory = max(self.memory, _memory_in_use())

    def item(self, source: str, error: str | None) -> None:
        """An input is complete, or has failed for this reason."""
        if error is not None:
            self.failed[source] = error

    def records(self, records: Sequence[Record]) -> None:
        """What is answered does not matter."""

    def note(self, text: str) -> None:
        """Nobody listens."""


def profile_job(
    job: Job,
    settings: JobSettings,
    found: Sequence[Input],
    load: Callable[[], Segmenter],
    ask: AskAbout,
) -> Profile:
    """Run the inputs; the time begins when the model is loaded.

    Raises what ``run_job`` raises, and KeyboardInterrupt if a signal stopped it.
    """
    trial = Profile()

    def load_first() -> Segmenter:
        model = load()
        trial.begun = time.perf_counter()
        return model

    with tempfile.TemporaryDirectory(
        prefix=".vlseg-plan-", dir=existing_folder(settings.folder.root)
    ) as name:
        folder = Path(name)
        alone = replace(settings, folder=OutputFolder(folder), shard=Shard(), overwrite=False)
        summary = run_job(job, alone, found, load_first, ask, trial)
        trial.seconds = time.perf_counter() - trial.begun
        trial.written = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if summary.stopped:
        raise KeyboardInterrupt
    return trial


def existing_folder(out: Path) -> Path:
    """The nearest folder above ``out`` that exists: on the disk that results will go to."""
    return next(one for one in out.absolute().parents if one.is_dir())


def _memory_in_use() -> int:
    """Resident bytes of this process and its children."""
    own = psutil.Process()
    return sum(one.memory_info().rss for one in (own, *own.children(recursive=True)))
