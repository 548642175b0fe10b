"""From a name to a model: the one place that knows which systems there are."""

from pathlib import Path

import torch

from vlseg_cli.models.psalm_segmenter import PSALMSegmenter
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.weights.folder import EMBEDDED, load_settings

ARCHITECTURES = ("psalm",)


def load_model(name: str | None = None, device: str | None = None) -> Segmenter:
    """A trained model, ready to use.

    name: a model folder, or None or 'embedded' for the one that comes with vlseg. device: as torch
    names it, None for a GPU if there is one. Raises WeightsError or UsageError in one sentence.
    """
    directory = model_folder(name)
    architecture = load_settings(directory)["architecture"]
    if architecture not in ARCHITECTURES:
        raise WeightsError(
            f"{directory} holds a {architecture!r}; this version reads {', '.join(ARCHITECTURES)}"
        )
    label = "embedded" if directory == EMBEDDED else str(name)
    return PSALMSegmenter.load(directory, label, _device(device))


def model_folder(name: str | None) -> Path:
    """Where a model lies. Raises WeightsError if nowhere."""
    directory = EMBEDDED if name in (None, "embedded") else Path(str(name)).expanduser()
    if not directory.is_dir():
        raise WeightsError(
            f"there is no model folder {name!r}; give the folder that vlseg train wrote, or leave "
            "--model out for the embedded default"
        )
    return directory


def _device(wanted: str | None) -> str:
    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted).cpu()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"--device {wanted}: {reason}; try cpu or cuda") from error
    return wanted
