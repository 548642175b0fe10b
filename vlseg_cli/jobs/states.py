"""What a watched video has in mind between two of its parts: plain arrays in a file of their own.

The file is there before the journal names its part, so whoever resumes finds it.
"""

from safetensors import SafetensorError
from safetensors.numpy import load, save

from vlseg_cli.jobs.layout import state_path
from vlseg_cli.models.session import State
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import OutputError


def write_state(folder: OutputFolder, number: int, part: int, state: State) -> None:
    """Keep what part ``part`` of item ``number`` leaves in mind. Raises OutputError."""
    folder.write(save(dict(state)), *state_path(number, part))


def read_state(folder: OutputFolder, number: int, part: int) -> State | None:
    """The inverse, None if that part left nothing. Raises OutputError for a damaged file."""
    path = folder.root.joinpath(*state_path(number, part))
    try:
        state: State = load(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{path} is damaged: run the job again with --overwrite.") from error
    return state
