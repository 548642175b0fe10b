"""From a name to a model: the one place that knows which systems there are."""

import json
import os
from pathlib import Path

import torch

from vlseg_cli.models.psalm_official import MODEL_TYPE
from vlseg_cli.models.psalm_segmenter import PSALMSegmenter
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.weights.catalogue import catalogue, find_entry
from vlseg_cli.weights.folder import CONFIG, load_settings
from vlseg_cli.weights.resolve import EMBEDDED, model_folder

ARCHITECTURES = ("psalm",)


# What the authors' config.json calls it.
_OFFICIAL = {MODEL_TYPE: "psalm"}


def load_model(name: str | None = None, device: str | None = None) -> Segmenter:
    """A trained model, ready to use.

    name: of weights.toml, or a model folder in our layout or its authors', or None or 'embedded'
    for the one that comes with vlseg. device: as torch names it, None for a GPU if there is one.
    Raises WeightsError or UsageError in one sentence.
    """
    if name in catalogue():
        require_architecture(str(name))
    directory = model_folder(name)
    label = "embedded" if directory == EMBEDDED else str(name)
    if official_architecture(directory):
        return PSALMSegmenter.load_official(directory, label, _device(device))
    architecture = load_settings(directory)["architecture"]
    if architecture not in ARCHITECTURES:
        raise WeightsError(
            f"{directory} holds a {architecture!r}; this version reads {', '.join(ARCHITECTURES)}"
        )
    return PSALMSegmenter.load(directory, label, _device(device))


def require_architecture(name: str) -> None:
    """Raise WeightsError if an entry of weights.toml is nothing that this version can run."""
    entry = find_entry(name)
    if entry.architecture in ARCHITECTURES:
        return
    if entry.role == "base":
        raise WeightsError(f"{name} is no model that answers by itself: others are built from it")
    raise WeightsError(
        f"this version of vlseg has no {entry.architecture} architecture yet, so {name} can be "
        f"fetched but not converted or used; it has {', '.join(ARCHITECTURES)}"
    )


def official_architecture(directory: Path) -> str | None:
    """Which of our architectures a folder in its authors' layout is for, None for other folders."""
    try:
        config = json.loads((directory / CONFIG).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    kind = config.get("model_type") if isinstance(config, dict) else None
    return _OFFICIAL.get(kind) if isinstance(kind, str) else None


def _device(wanted: str | None) -> str:
    if wanted is None:
        local = os.environ.get("LOCAL_RANK", "0")  # set by torchrun: a device for each process
        return f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted).cpu()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"--device {wanted}: {reason}; try cpu or cuda") from error
    return wanted
