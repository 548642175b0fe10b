"""What a job is (``job.json``), how it is run (``JobSettings``), and what its folder holds.

Everything that results depend on is compared before a folder is resumed: results of different
prompts or weights never mix. ``.vlseg/`` holds the state of a job in progress and is removed when
the job is finished.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load, save

from vlseg_cli import __version__
from vlseg_cli.jobs.work_units import FrameSource, Shard
from vlseg_cli.models.base import SessionState
from vlseg_cli.outputs import OutputFolder, Sink
from vlseg_cli.outputs.records import RecordFile
from vlseg_cli.schema import FrameRange, OutputError, UsageError
from vlseg_cli.schema.files import read_json

_LONGEST = 60  # characters of a value in a message

JOB = "job.json"
JOURNAL = "journal.jsonl"
RECORDS = "records.jsonl"
FAILURES = "failures.jsonl"
STATE_FOLDER = ".vlseg"
REMOVED_STATE = ".vlseg-done"  # the state folder while it is being removed
# In the state folder. WORK: a staging folder per process.
ITEMS, LINES, LEASES, WORK = "items.jsonl", "journal", "leases", "work"
FINISHING = "finishing.json"  # digest of the records that replace those of the journal
LOCK = ".vlseg"  # lease held while the list of items changes and while the job is finished
ERASED = ".vlseg-erased.json"  # the job that is being erased
EXPORT = ".vlseg-export"  # lease, and state folder, of an export
EXPORTED = ".vlseg-exported.json"  # the formats that were exported to a folder

CHUNK_FRAMES = 240  # of a video between two journal lines: the most work that a kill can lose


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that results depend on, in plain JSON values.

    arguments: the command line without what changes no result (--out, --shard, --quiet, …), for
    ``vlseg retry``. model: name and digest. requests: the prompts. options: threshold, frame range,
    batch size, formats, …, by the names of the command line.
    """

    arguments: tuple[str, ...]
    model: str
    requests: Any
    options: Mapping[str, Any]
    version: str = __version__

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that results depend on; ``arguments`` is not part of it."""
        return hashlib.sha256(_canonical(self._compared()).encode()).hexdigest()

    def difference(self, other: "Job") -> str:
        """The first difference from another job as text; '' if there is none."""
        mine, theirs = self._compared(), other._compared()
        for key in {**mine, **theirs}:
            if _canonical(mine.get(key)) != _canonical(theirs.get(key)):
                was, now = _where_they_differ(_text(mine.get(key)), _text(theirs.get(key)))
                return f"{key} was {was}, now {now}"
        return ""

    def to_json(self) -> dict[str, Any]:
        """The values of ``job.json``; its key for the requests is ``asked``."""
        return {
            "arguments": self.arguments,
            "model": self.model,
            "asked": self.requests,
            "options": self.options,
            "version": self.version,
        }

    def _compared(self) -> dict[str, Any]:
        """By the names that error messages use; the fingerprint depends on them, too."""
        return {
            "the model": self.model,
            "what is asked": self.requests,
            **{f"--{key.replace('_', '-')}": value for key, value in self.options.items()},
            "the version of vlseg": self.version,
        }


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How to run a job.

    formats: names of --save; () keeps nothing, unless keep_records asks for the records alone.
    exact_scores: records keep scores unrounded. retry_failed: failed inputs are processed again.
    tracking: objects are tracked through videos; images are accepted among the inputs only if
    images_too. open_source: the source of frames, None for the files that the inputs name. sinks:
    also receive every frame that this process completes.
    """

    folder: OutputFolder
    formats: tuple[str, ...]
    clip: FrameRange = field(default_factory=FrameRange)
    batch_size: int = 1
    chunk_frames: int = CHUNK_FRAMES
    shard: Shard = field(default_factory=Shard)
    overwrite: bool = False
    retry_failed: bool = False
    fail_fast: bool = False
    tracking: bool = False
    images_too: bool = False
    keep_records: bool = False
    exact_scores: bool = False
    open_source: Callable[[], FrameSource] | None = None
    sinks: tuple[Sink, ...] = ()


def write_job(folder: OutputFolder, job: Job, name: str = JOB) -> None:
    """Write ``job.json``. Raises OutputError if it cannot be written."""
    values = sealed(job.to_json() | {"fingerprint": job.fingerprint})
    folder.write((json.dumps(values, indent=1) + "\n").encode(), name)


def read_job(root: Path, name: str = JOB) -> Job | None:
    """The job of a folder, None if it holds none. Raises UsageError if ``job.json`` is damaged."""
    path = root / name
    if not path.exists():
        return None
    try:
        values = read_json(path)
        job = Job(
            tuple(map(str, values["arguments"])),
            values["model"],
            values["asked"],
            dict(values["options"]),
            values["version"],
        )
        if not is_whole(values) or values["fingerprint"] != job.fingerprint:
            raise ValueError("it was changed")
        return job
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is damaged or no job of vlseg: give another --out, or remove that file."
        ) from error


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with a digest of them, by which damage is noticed."""
    return {**values, "check": _check(values)}


def is_whole(values: Any) -> bool:
    """Whether values are as they were sealed, or of a release that did not seal."""
    if not isinstance(values, dict):
        return False
    rest = {key: value for key, value in values.items() if key != "check"}
    return "check" not in values or values["check"] == _check(rest)


def _check(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(values).encode()).hexdigest()[:16]


def existing_job(root: Path) -> Job:
    """The job of a folder. Raises UsageError if it holds none."""
    job = read_job(root)
    if job is None:
        raise UsageError(f"{root} holds no job: give the --out of an earlier run.")
    return job


def records_path(item: int, chunk: int) -> tuple[str, ...]:
    """The records of one chunk of an item; at most a thousand items share a folder."""
    return STATE_FOLDER, "records", f"{item // 1000:03d}", f"{item:06d}-{chunk}.jsonl"


def state_path(item: int, chunk: int) -> tuple[str, ...]:
    """The tracking state at the end of a chunk, beside its records."""
    return STATE_FOLDER, "records", f"{item // 1000:03d}", f"{item:06d}-{chunk}.safetensors"


def stored_records(folder: OutputFolder) -> RecordFile:
    """All records of a finished job."""
    return RecordFile(folder.root / RECORDS)


def write_state(folder: OutputFolder, item: int, chunk: int, state: SessionState) -> None:
    """Store the tracking state at the end of a chunk. Raises OutputError."""
    folder.write(save(dict(state)), *state_path(item, chunk))


def read_state(folder: OutputFolder, item: int, chunk: int) -> SessionState | None:
    """The inverse, None if there is no state. Raises OutputError for a damaged file."""
    path = folder.root.joinpath(*state_path(item, chunk))
    try:
        state: SessionState = load(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{path} is damaged: run the job again with --overwrite.") from error
    return state


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _text(value: Any) -> str:
    return "not given" if value is None else value if isinstance(value, str) else _canonical(value)


def _where_they_differ(*texts: str) -> Iterator[str]:
    """Each text, and of long ones what is around the first difference."""
    equal = sum(1 for _ in takewhile(lambda both: len(set(both)) == 1, zip(*texts, strict=False)))
    start = max(0, equal - _LONGEST // 3) if any(len(text) > _LONGEST for text in texts) else 0
    for text in texts:
        end = start + _LONGEST
        yield ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")
