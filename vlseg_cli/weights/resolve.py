"""From a name to the folder that a model is loaded from."""

from pathlib import Path
from typing import Literal

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import read_regular, reason_of
from vlseg_cli.weights.catalog import catalog, find_entry
from vlseg_cli.weights.pins import converted_folder, lock_file, official_folder, read_pin

# The miniature that comes with the package, trained by recipes/embedded.toml.
EMBEDDED = Path(__file__).parent / "embedded"

# A training folder of DeepSpeed: a file names the last step, whose folder has the weights.
_LATEST = "latest"
_PATH = 1 << 12  # bytes of that name
_STATES = "mp_rank_00_model_states.pt"


def model_folder(name: str | None) -> Path:
    """Where a model lies: None or 'embedded' is the one that comes with vlseg, other names are of
    weights.toml, anything else is a folder.

    Raises WeightsError if there is none. Nothing is ever fetched from here.
    """
    if name in (None, "embedded"):
        return EMBEDDED
    if name in catalog():
        return published_folder(str(name))
    directory = Path(str(name)).expanduser()
    if not directory.is_dir():
        raise WeightsError(
            f"there is no model folder {name!r}; give the folder that vlseg train wrote, a name of "
            "'vlseg weights list', or leave --model out for the embedded default"
        )
    return directory


def published_folder(name: str) -> Path:
    """Where published weights lie: converted ones if they have been, else as published.

    Raises WeightsError saying how to get them.
    """
    if name == "embedded":
        return EMBEDDED
    entry = find_entry(name)
    match stage(name):
        case "converted" | "fetched":
            return folder_of(name)
        case "in part":
            raise WeightsError(f"{name} was fetched in part: 'vlseg weights pull {name}' resumes")
    size = f" (about {entry.gigabytes:g} GB)" if entry.gigabytes else ""
    raise WeightsError(
        f"{name} is not on this machine: 'vlseg weights pull {name}' fetches it{size}, or place its"
        f" files into {official_folder(name)} by hand"
    )


def folder_of(name: str) -> Path:
    """Where published weights lie or belong: converted if they have been, else as published."""
    if name == "embedded":
        return EMBEDDED
    converted = converted_folder(name)
    return converted if converted.is_dir() else official_folder(name)


def stage(name: str) -> Literal["-", "in part", "fetched", "converted"]:
    """How far published weights have come on this machine."""
    if converted_folder(name).is_dir():
        return "converted"
    if not official_folder(name).is_dir():
        return "-"
    pin = read_pin(lock_file(name))
    return "in part" if pin is not None and pin.files and not pin.complete else "fetched"


def is_deepspeed(directory: Path) -> bool:
    """Whether a folder is one."""
    return (directory / _LATEST).is_file()


def model_states(directory: Path) -> Path:
    """The file with the weights of the last step. Raises WeightsError if it is not there."""
    try:
        step = read_regular(directory / _LATEST, _PATH).decode("utf-8", "replace").strip()
    except OSError as error:
        raise WeightsError(f"{directory / _LATEST} cannot be read ({reason_of(error)})") from error
    if Path(step).name != step or step in ("", ".", ".."):
        raise WeightsError(f"{directory / _LATEST} names no folder beside it")
    file = directory / step / _STATES
    if not file.is_file():
        raise WeightsError(f"{directory} lacks {step}/{_STATES}, the model's weights")
    return file
