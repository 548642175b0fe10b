"""Exports SAM as two ONNX graphs: the image encoder, and masks for any number of points.

torch's tracing exporter handles transformers' modules unchanged and needs only ``onnx``. A JSON
file beside the graphs names their weights; it is written last, which marks a complete export.
"""

import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vlseg_cli.models.proposals.onnx_engine import (
    ENCODER,
    EXPORT,
    FEATURES,
    IOU,
    LOGITS,
    MASKS_AT,
    PIXELS,
    POINTS,
)
from vlseg_cli.nn.sam import SAM
from vlseg_cli.outputs.atomic import make_folder, write_atomically, write_error
from vlseg_cli.schema import UsageError

_OPSET = 18  # the newest tested with torch's tracing exporter
_TRACED = 3  # points of the trace; their number is dynamic


class _SAMStep(nn.Module):
    """One of SAM's methods as a module, which is what torch exports."""

    def __init__(self, sam: SAM, method: str) -> None:
        super().__init__()
        self.sam, self.method = sam, method

    def forward(self, *inputs: Tensor) -> Any:
        return getattr(self.sam, self.method)(*inputs)


def export_sam(sam: SAM, digest: str, folder: Path) -> None:
    """Export a SAM in float32 on the CPU to a folder for ``OnnxSAM``.

    digest: of the weights, see ``model_digest``. Raises UsageError without the package ``onnx``,
    OutputError if writing fails.
    """
    require_onnx()
    sizes = sam.sizes
    grid = sizes.image // sizes.patch
    encoder_inputs = {PIXELS: torch.zeros(1, 3, sizes.image, sizes.image)}
    decoder_inputs = {
        FEATURES: torch.zeros(1, sizes.channels, grid, grid),
        POINTS: torch.full((_TRACED, 2), sizes.image / 2),
    }
    make_folder(folder)
    try:
        (folder / EXPORT).unlink(missing_ok=True)
        _write(folder / ENCODER, _SAMStep(sam, "encode_image"), encoder_inputs, (FEATURES,))
        _write(folder / MASKS_AT, _SAMStep(sam, "masks_at"), decoder_inputs, (LOGITS, IOU))
    except OSError as error:
        raise write_error(folder, error) from error
    metadata = {"weights": digest, "sizes": asdict(sizes)}
    write_atomically(folder / EXPORT, (json.dumps(metadata, indent=2) + "\n").encode())


def require_onnx() -> None:
    """Raise UsageError with an installation hint if the package ``onnx`` is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "exporting needs the package onnx: pip install 'vlseg[onnx]', or pip install onnx"
        ) from error


def _write(
    file: Path, module: nn.Module, inputs: Mapping[str, Tensor], outputs: tuple[str, ...]
) -> None:
    """Trace a module of SAM. Its weights go into one file beside the graph, whatever their size."""
    import onnx

    weights = file.with_suffix(".weights")
    dynamic = {name: {0: "Q"} for name in (POINTS, LOGITS, IOU) if name in (*inputs, *outputs)}
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".") as scratch:
        traced = Path(scratch) / file.name  # weights over 2 GB are written beside it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about traced sizes, which are constant in SAM
            torch.onnx.export(
                module.eval(),
                tuple(inputs.values()),
                str(traced),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=dynamic,
                opset_version=_OPSET,
                dynamo=False,
            )
        model = onnx.load(traced)
        weights.unlink(missing_ok=True)  # onnx would append to it
        onnx.save_model(model, file, save_as_external_data=True, location=weights.name)
