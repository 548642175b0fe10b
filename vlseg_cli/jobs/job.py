"""What a job was asked: everything its results depend on, kept in ``job.json`` and compared.

Answers to different questions, or of different weights, never mix in one folder.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vlseg_cli import __version__
from vlseg_cli.jobs.layout import JOB
from vlseg_cli.jobs.shard import Shard
from vlseg_cli.jobs.work_units import FrameSource
from vlseg_cli.outputs import OutputFolder, Sink
from vlseg_cli.schema import FrameRange, UsageError


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked, in plain JSON values.

    arguments: the command line without what changes no result (--out, --shard, --quiet, …), so
    that ``vlseg retry`` can ask again. model: name and digest. asked: the prompts. options:
    threshold, frames of a video, batch size, formats, …, by the names of the command line.
    """

    arguments: tuple[str, ...]
    model: str
    asked: Any
    options: Mapping[str, Any]
    version: str = __version__

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that matters; the words it was asked in do not."""
        return hashlib.sha256(_canonical(self._parts()).encode()).hexdigest()

    def difference(self, other: "Job") -> str:
        """The first thing in which another job differs, in words; '' if they are the same."""
        mine, theirs = self._parts(), other._parts()
        for key in {**mine, **theirs}:
            if _canonical(mine.get(key)) != _canonical(theirs.get(key)):
                return f"{key} was {_shown(mine.get(key))}, now {_shown(theirs.get(key))}"
        return ""

    def _parts(self) -> dict[str, Any]:
        """What is compared, by the names a person knows."""
        return {
            "the version of vlseg": self.version,
            "the model": self.model,
            "what is asked": self.asked,
            **{f"--{key.replace('_', '-')}": value for key, value in self.options.items()},
        }


def write_job(folder: OutputFolder, job: Job) -> None:
    """Write ``job.json``. Raises OutputError if it cannot be written."""
    values = asdict(job) | {"fingerprint": job.fingerprint}
    folder.write((json.dumps(values, indent=1) + "\n").encode(), JOB)


def read_job(root: Path) -> Job | None:
    """The job of a folder, None if it has none. Raises UsageError if the file is damaged."""
    path = root / JOB
    if not path.exists():
        return None
    try:
        values = json.loads(path.read_bytes())
        return Job(
            tuple(values["arguments"]),
            values["model"],
            values["asked"],
            dict(values["options"]),
            values["version"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is damaged: give another --out, or --overwrite to begin again."
        ) from error


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:
    text = "not given" if value is None else value if isinstance(value, str) else _canonical(value)
    return text if len(text) <= 60 else text[:57] + "…"


CHUNK_FRAMES = 240  # of a video between two lines of the journal: what a kill can cost


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How to run a job.

    formats: names of --save; () keeps nothing at all, unless keep_records asks for the record store
    alone. exact_scores: records keep scores as they are, not rounded. again: failed inputs are work
    to do, too. through_time: things are followed through videos; pictures are inputs only if
    pictures_too. open_source: where frames come from, None for the files that the inputs name.
    watchers: are given every answer that this process makes.
    """

    folder: OutputFolder
    formats: tuple[str, ...]
    clip: FrameRange = field(default_factory=FrameRange)
    batch_size: int = 1
    part_frames: int = CHUNK_FRAMES
    shard: Shard = field(default_factory=Shard)
    overwrite: bool = False
    again: bool = False
    fail_fast: bool = False
    through_time: bool = False
    pictures_too: bool = False
    keep_records: bool = False
    exact_scores: bool = False
    open_source: Callable[[], FrameSource] | None = None
    watchers: tuple[Sink, ...] = ()
