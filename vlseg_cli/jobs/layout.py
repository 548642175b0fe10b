"""Where a job keeps what in its output folder.

``.vlseg/`` is the workshop of a job under way and gone when it is finished; what remains is plain:
what was asked, what became of each input, every answer, and the formats made from them.
"""

from safetensors import SafetensorError
from safetensors.numpy import load, save

from vlseg_cli.models.base import SessionState
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.records import RecordFile
from vlseg_cli.schema import OutputError

JOB = "job.json"
JOURNAL = "journal.jsonl"
RECORDS = "records.jsonl"
FAILURES = "failures.jsonl"
STATE_FOLDER = ".vlseg"
SWEPT = ".vlseg-done"  # the workshop on its way out
LEASES = "leases"
LOCK = ".vlseg"  # held while the list of items changes, and while the job is being finished


def part_path(number: int, part: int) -> tuple[str, ...]:
    """The records of one part of item ``number``; at most a thousand items to a folder."""
    return STATE_FOLDER, "records", f"{number // 1000:03d}", f"{number:06d}-{part}.jsonl"


def state_path(number: int, part: int) -> tuple[str, ...]:
    """What a part of item ``number`` left in mind for the next one, beside its records."""
    return STATE_FOLDER, "records", f"{number // 1000:03d}", f"{number:06d}-{part}.safetensors"


def stored_records(folder: OutputFolder) -> RecordFile:
    """All records of a finished job."""
    return RecordFile(folder.root / RECORDS)


def write_state(folder: OutputFolder, number: int, part: int, state: SessionState) -> None:
    """Keep what part ``part`` of item ``number`` leaves in mind. Raises OutputError."""
    folder.write(save(dict(state)), *state_path(number, part))


def read_state(folder: OutputFolder, number: int, part: int) -> SessionState | None:
    """The inverse, None if that part left nothing. Raises OutputError for a damaged file."""
    path = folder.root.joinpath(*state_path(number, part))
    try:
        state: SessionState = load(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{path} is damaged: run the job again with --overwrite.") from error
    return state
