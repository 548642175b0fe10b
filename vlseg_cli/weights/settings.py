"""The files of a model folder and the settings in it; free of torch."""

from pathlib import Path
from typing import Any

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import read_json, reason_of

WEIGHTS, CONFIG, TOKENIZER, CARD = (
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "README.md",
)
_CONFIG_BYTES = 1 << 24


def load_settings(directory: Path) -> dict[str, Any]:
    """Read config.json. Raises WeightsError if ``directory`` is no model folder."""
    file = directory / CONFIG
    if not file.exists():
        raise WeightsError(
            f"{directory} is not a model folder: it has no {CONFIG}; give one that vlseg train "
            "wrote, or leave --model out for the embedded default"
        )
    settings = read_config(directory)
    if "architecture" not in settings or not isinstance(settings.get("config"), dict):
        raise WeightsError(f"{file} lacks 'architecture' or 'config': it is not one of vlseg's")
    return settings


def read_config(directory: Path) -> dict[str, Any]:
    """Parse a folder's config.json. Raises WeightsError if it is missing or not a table."""
    file = directory / CONFIG
    try:
        config = read_json(file, _CONFIG_BYTES)
    except OSError as error:
        raise WeightsError(f"{file} cannot be read ({reason_of(error)})") from error
    except ValueError as error:
        raise WeightsError(f"{file} is not valid JSON ({reason_of(error)})") from error
    if not isinstance(config, dict):
        raise WeightsError(f"{file} is not a table of settings; fetch it again")
    return config
