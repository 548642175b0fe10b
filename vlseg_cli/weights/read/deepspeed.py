"""A training folder of DeepSpeed: a file names the last step, whose folder holds the weights.

Free of torch: a model's digest asks, too.
"""

from pathlib import Path

from vlseg_cli.schema import WeightsError

_LATEST = "latest"
_STATES = "mp_rank_00_model_states.pt"


def is_deepspeed(directory: Path) -> bool:
    """Whether a folder is one."""
    return (directory / _LATEST).is_file()


def model_states(directory: Path) -> Path:
    """The file with the weights of the last step. Raises WeightsError if it is not there."""
    step = (directory / _LATEST).read_text("utf-8", "replace").strip()
    if Path(step).name != step or step in ("", ".", ".."):
        raise WeightsError(f"{directory / _LATEST} names no folder beside it")
    file = directory / step / _STATES
    if not file.is_file():
        raise WeightsError(f"{directory} lacks {step}/{_STATES}, the model's weights")
    return file
