"""From a name to a model: the one place that knows which systems there are."""

import os

import torch

from vlseg_cli.models.psalm_segmenter import PSALMSegmenter
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.weights.folder import load_settings
from vlseg_cli.weights.resolve import EMBEDDED, model_folder

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
