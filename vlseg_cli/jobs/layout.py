"""Where a job keeps what in its output folder.

``.vlseg/`` is the workshop of a job under way and gone when it is finished; what remains is plain:
what was asked, what became of each input, every answer, and the formats made from them.
"""

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.store import RecordFile

JOB = "job.json"
JOURNAL = "journal.jsonl"
RECORDS = "records.jsonl"
FAILURES = "failures.jsonl"
WORKSHOP = ".vlseg"
SWEPT = ".vlseg-done"  # the workshop on its way out
LEASES = "leases"
LOCK = ".vlseg"  # held while the list of items changes, and while the job is being finished


def part_path(number: int, part: int) -> tuple[str, ...]:
    """The records of one part of item ``number``; at most a thousand items to a folder."""
    return WORKSHOP, "records", f"{number // 1000:03d}", f"{number:06d}-{part}.jsonl"


def state_path(number: int, part: int) -> tuple[str, ...]:
    """What a part of item ``number`` left in mind for the next one, beside its records."""
    return WORKSHOP, "records", f"{number // 1000:03d}", f"{number:06d}-{part}.safetensors"


def stored_records(folder: OutputFolder) -> RecordFile:
    """All records of a finished job."""
    return RecordFile(folder.root / RECORDS)
