"""SAM in ONNX Runtime, from the graphs of ``vlseg export sam``, on the CPU or a CUDA device."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.proposals.base import Note
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.schema.files import read_json

EXPORT, ENCODER, MASKS_AT = "sam.json", "look.onnx", "masks_at.onnx"
PIXELS, FEATURES, POINTS, LOGITS, IOU = "pixels", "features", "points", "logits", "iou"

_SILENT = 4  # fatal messages alone
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class OnnxSAM:
    """See ``SAMBackend``. Uses as many threads as torch."""

    name = "onnx"

    def __init__(
        self, folder: Path, digest: str, device: str = "cpu", note: Note | None = None
    ) -> None:
        """Open an export. digest: of the weights it must have been exported from. note: called
        with a sentence if ONNX Runtime cannot use the GPU, and the CPU does the work.

        Raises WeightsError if it is missing, damaged or from other weights, and UsageError without
        ``note`` if the GPU cannot be used.
        """
        self.image_size = _checked_size(folder, digest)
        self._encoder = _open_session(folder / ENCODER, device)
        self._masks_at = _open_session(folder / MASKS_AT, device)
        if device.startswith("cuda") and _CUDA not in self._encoder.get_providers():
            sentence = f"ONNX Runtime {onnxruntime.__version__} cannot use {device} here"
            if note is None:
                raise UsageError(
                    f"{sentence}: install onnxruntime-gpu and the CUDA libraries that it names, or"
                    " take --proposals-engine torch, or --device cpu"
                )
            note(f"{sentence}: the SAM runs on the CPU. --proposals-engine torch uses the GPU.")

    def encode_image(self, pixels: Tensor) -> Tensor:
        """(1, 3, S, S) -> features."""
        (features,) = self._encoder.run([FEATURES], {PIXELS: _array(pixels)})
        return torch.from_numpy(features)

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Features, (Q, 2) -> logits (Q, 3, h, w) and predicted IoU (Q, 3)."""
        inputs = {FEATURES: _array(features), POINTS: _array(points)}
        logits, iou = self._masks_at.run([LOGITS, IOU], inputs)
        return torch.from_numpy(logits), torch.from_numpy(iou)


def _checked_size(folder: Path, digest: str) -> int:
    """Input side of an export, px, after checking that its weights have ``digest``."""
    file = folder / EXPORT
    if not file.is_file():
        raise WeightsError(
            f"{folder} holds no exported SAM: 'vlseg export sam --model MODEL' writes it;"
            " --proposals-engine also accepts its folder"
        )
    try:
        metadata = read_json(file)
        weights, size = str(metadata["weights"]), int(metadata["sizes"]["image"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{file} is damaged: export the SAM again") from error
    if weights != digest:
        raise WeightsError(
            f"{folder} was exported from other weights ({weights}) than the model's ({digest}):"
            " 'vlseg export sam --model MODEL' again"
        )
    return size


def _open_session(file: Path, device: str) -> Any:
    """A session. Raises WeightsError if the graph or its weights are missing or damaged."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    onnxruntime.set_default_logger_severity(_SILENT)  # what fails is said in a sentence of ours
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=_providers(device))
    except Exception as error:  # one class per kind of damage
        raise WeightsError(f"{file} cannot be opened: export the SAM again") from error


def _providers(device: str) -> list[Any]:
    """Execution providers in order of preference."""
    if not device.startswith("cuda") or _CUDA not in onnxruntime.get_available_providers():
        return [_CPU]
    with redirect_stdout(StringIO()):  # it prints what it does not find
        onnxruntime.preload_dlls()  # the CUDA libraries installed with torch
    return [(_CUDA, {"device_id": torch.device(device).index or 0}), _CPU]


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.float().cpu().numpy()
    return array
