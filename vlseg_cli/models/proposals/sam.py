"""What runs SAM for a proposer: torch here, ONNX Runtime in ``onnx_engine.py``."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.image_processing import fit_square, longest_side
from vlseg_cli.models.proposals.base import ONNX, TORCH, Proposals, export_folder, proposals_of
from vlseg_cli.models.proposals.filters import (
    POINTS_AT_ONCE,
    POINTS_PER_SIDE,
    MaskCandidates,
    enlarge_logits,
    filter_iou,
    filter_stability,
    nms,
    point_grid,
    take,
    to_input,
)
from vlseg_cli.nn.sam import SAM
from vlseg_cli.schema import Frame


class SAMBackend(Protocol):
    """SAM, whatever runs it; see ``nn.sam.SAM`` for the shapes. name: tells engines apart."""

    name: str
    image_size: int

    def encode_image(self, pixels: Tensor) -> Tensor: ...

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]: ...


class TorchSAM:
    """SAM by torch, on whatever device it is."""

    name = "torch"

    def __init__(self, sam: SAM) -> None:
        self.image_size = sam.image_size
        self._sam = sam.eval()
        self._like = next(sam.parameters())

    @torch.inference_mode()
    def encode_image(self, pixels: Tensor) -> Tensor:
        """(1, 3, S, S) -> features."""
        return self._sam.encode_image(pixels.to(self._like))

    @torch.inference_mode()
    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Features, (Q, 2) -> logits (Q, 3, h, w) and expected IoU (Q, 3), on the CPU."""
        logits, iou = self._sam.masks_at(features, points.to(self._like))
        return logits.float().cpu(), iou.float().cpu()


_STRIP = 256  # columns
_LARGEST = 1024  # px: larger pictures are shrunk to this before SAM gets to see them


class SAMProposer:
    """See ``Proposer``. per_side: points along each side of the grid."""

    def __init__(self, engine: SAMBackend, key: str, per_side: int = POINTS_PER_SIDE) -> None:
        self._engine, self._per_side = engine, per_side
        # Engines agree but for rounding, of which a threshold can make a whole mask: what is kept
        # must not depend on who came first.
        self.key = f"{key} {engine.name} everything {per_side}"

    def propose(self, frame: Frame) -> Proposals:
        """Masks on the grid of the picture, or of its shrunk copy if it is large."""
        pixels = rescale_box(frame.pixels)
        found = self._guesses(pixels)
        kept = take(found, nms(found.boxes, found.iou))
        masks = [mask.numpy() for mask in kept.masks]
        return proposals_of(masks, kept.iou.tolist(), pixels.shape[0], pixels.shape[1])

    def _guesses(self, pixels: NDArray[np.uint8]) -> MaskCandidates:
        """Of all points, stable ones alone."""
        engine, size = self._engine, (pixels.shape[0], pixels.shape[1])
        content = longest_side(*size, engine.image_size)
        features = engine.encode_image(
            torch.from_numpy(fit_square(pixels, engine.image_size))[None]
        )
        grid = point_grid(self._per_side) * torch.tensor([size[1], size[0]])
        batches: list[MaskCandidates] = []
        for points in torch.split(grid, POINTS_AT_ONCE):
            logits, iou = engine.masks_at(features, to_input(points, size, content).float())
            good = filter_iou(iou)
            asked = points.unsqueeze(1).expand(-1, iou.shape[1], -1)[good]
            # Only promising guesses are enlarged: all of a batch would fill gigabytes.
            large = enlarge_logits(logits[good], engine.image_size, content, size)
            batches.append(filter_stability(large, iou[good], asked))
        return MaskCandidates(*(torch.cat(entries) for entries in zip(*batches, strict=True)))


def rescale_box(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture at most 1024 px long; larger ones are averaged over the area of each new pixel.

    The new size is cut off, not rounded, and smaller pictures stay as they are.
    """
    height, width = pixels.shape[:2]
    if max(height, width) <= _LARGEST:
        return pixels
    scale = _LARGEST / max(height, width)
    new = max(1, int(height * scale)), max(1, int(width * scale))
    strips = np.array_split(pixels, -(-width // _STRIP), axis=1)  # a photo's sums would be large
    rows = np.concatenate([_area_means(s.astype(np.float64), new[0]) for s in strips], axis=1)
    both = _area_means(rows.swapaxes(0, 1), new[1]).swapaxes(0, 1)
    return np.rint(both).astype(np.uint8)


def _area_means(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Means over ``count`` equal stretches of the first axis; pixels at ends count in part."""
    total = np.concatenate([np.zeros_like(values[:1]), values.cumsum(0)])
    ends = np.arange(count + 1) * (len(values) / count)
    whole = np.minimum(ends.astype(np.int64), len(values) - 1)
    part = (ends - whole).reshape(-1, *[1] * (values.ndim - 1))
    reached = total[whole] + part * values[whole]
    means: NDArray[np.float64] = np.diff(reached, axis=0) * (count / len(values))
    return means


def open_sam_proposer(
    model: str, digest: str, engine: str, device: str, sam: Callable[[], SAM]
) -> SAMProposer:
    """Everything that the SAM of a model sees. sam: itself, asked for only if torch runs it.

    Raises WeightsError if ONNX Runtime is to run it and no export of these weights is found.
    """
    if engine == TORCH:
        return SAMProposer(TorchSAM(sam()), digest)
    from vlseg_cli.models.proposals.onnx_engine import OnnxSAM

    exported = export_folder(model) if engine == ONNX else Path(engine).expanduser()
    return SAMProposer(OnnxSAM(exported, digest, device), digest)
