"""SAM as two ONNX graphs: its look at a picture, and its masks for any number of points.

torch's tracing exporter takes transformers' modules as they are and needs ``onnx`` alone. A small
JSON beside the graphs says of which weights they are; it is written last, so what has it is whole.
"""

import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from vlseg_cli.models.proposals.onnx_engine import (
    EXPORT,
    FEATURES,
    IOU,
    LOGITS,
    LOOK,
    MASKS_AT,
    PIXELS,
    POINTS,
)
from vlseg_cli.nn.sam import SAM
from vlseg_cli.outputs.atomic import make_folder, write_atomically, write_error
from vlseg_cli.schema import UsageError

_OPSET = 18  # the newest that torch's tracing exporter is tested with
_TRACED = 3  # points of the trace; any other number will do as well


class _Look(nn.Module):
    def __init__(self, sam: SAM) -> None:
        super().__init__()
        self.sam = sam

    def forward(self, pixels: Tensor) -> Tensor:
        return self.sam.encode_image(pixels)


class _MasksAt(nn.Module):
    def __init__(self, sam: SAM) -> None:
        super().__init__()
        self.sam = sam

    def forward(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        return self.sam.masks_at(features, points)


def export_sam(sam: SAM, digest: str, folder: Path) -> None:
    """Write a SAM in float32 on the CPU into a folder that ``OnnxEngine`` reads.

    digest: of the weights, see ``model_digest``. Raises UsageError without the package ``onnx``,
    OutputError if the disk refuses.
    """
    require_onnx()
    sizes = sam.sizes
    grid = sizes.image // sizes.patch
    looked = {PIXELS: torch.zeros(1, 3, sizes.image, sizes.image)}
    asked = {
        FEATURES: torch.zeros(1, sizes.channels, grid, grid),
        POINTS: torch.full((_TRACED, 2), sizes.image / 2),
    }
    make_folder(folder)
    try:
        (folder / EXPORT).unlink(missing_ok=True)
        _write(folder / LOOK, _Look(sam), looked, (FEATURES,))
        _write(folder / MASKS_AT, _MasksAt(sam), asked, (LOGITS, IOU))
    except OSError as error:
        raise write_error(folder, error) from error
    told = {"weights": digest, "sizes": asdict(sizes)}
    write_atomically(folder / EXPORT, (json.dumps(told, indent=2) + "\n").encode())


def require_onnx() -> None:
    """Raise UsageError, saying how to get it, where the package ``onnx`` is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "exporting needs the package onnx: pip install 'vlseg[onnx]', or pip install onnx"
        ) from error


def _write(file: Path, part: nn.Module, given: Mapping[str, Tensor], made: tuple[str, ...]) -> None:
    """Trace a part of SAM. Its numbers go into one file beside the graph, whatever their size."""
    import onnx

    numbers = file.with_suffix(".weights")
    dynamic = {name: {0: "Q"} for name in (POINTS, LOGITS, IOU) if name in (*given, *made)}
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".") as place:
        traced = Path(place) / file.name  # beside which numbers of more than 2 GB are spilled
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of traced sizes, which are SAM's own and fixed
            torch.onnx.export(
                part.eval(),
                tuple(given.values()),
                str(traced),
                input_names=list(given),
                output_names=list(made),
                dynamic_axes=dynamic,
                opset_version=_OPSET,
                dynamo=False,
            )
        model = onnx.load(traced)
        numbers.unlink(missing_ok=True)  # onnx would append to it
        onnx.save_model(model, file, save_as_external_data=True, location=numbers.name)
