"""SAM as proposer, on a grid of points; run by torch here or ONNX Runtime in ``onnx_engine.py``."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.image_processing import fit_square, longest_side
from vlseg_cli.models.proposals.base import (
    ONNX,
    TORCH,
    Note,
    Proposals,
    export_folder,
    proposals_of,
)
from vlseg_cli.models.proposals.filters import (
    POINT_BATCH_SIZE,
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
    """SAM in any engine; shapes as in ``nn.sam.SAM``. name: of the engine, part of cache keys."""

    name: str
    image_size: int

    def encode_image(self, pixels: Tensor) -> Tensor: ...

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]: ...


class TorchSAM:
    """SAM in torch, on the device of its weights."""

    name = "torch"

    def __init__(self, sam: SAM) -> None:
        self.image_size = sam.image_size
        self._sam = sam.eval()
        self._reference = next(sam.parameters())

    @torch.inference_mode()
    def encode_image(self, pixels: Tensor) -> Tensor:
        """(1, 3, S, S) -> features."""
        return self._sam.encode_image(pixels.to(self._reference))

    @torch.inference_mode()
    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Features, (Q, 2) -> logits (Q, 3, h, w) and predicted IoU (Q, 3), on the CPU."""
        logits, iou = self._sam.masks_at(features, points.to(self._reference))
        return logits.float().cpu(), iou.float().cpu()


_STRIP_WIDTH = 256  # columns
_MAX_SIDE = 1024  # px: larger images are downscaled to this before SAM


class SAMProposer:
    """See ``Proposer``. per_side: points along each side of the grid."""

    def __init__(self, engine: SAMBackend, key: str, per_side: int = POINTS_PER_SIDE) -> None:
        self._engine, self._per_side = engine, per_side
        # Engines differ by rounding, which can flip a mask at a threshold: cached proposals of one
        # engine must not serve another.
        self.key = f"{key} {engine.name} everything {per_side}"

    def propose(self, frame: Frame) -> Proposals:
        """Masks at the resolution of the image, or of its downscaled copy if it is large."""
        pixels = rescale_box(frame.pixels)
        candidates = self._candidates(pixels)
        kept = take(candidates, nms(candidates.boxes, candidates.iou))
        masks = [mask.numpy() for mask in kept.masks]
        return proposals_of(masks, kept.iou.tolist(), pixels.shape[0], pixels.shape[1])

    def _candidates(self, pixels: NDArray[np.uint8]) -> MaskCandidates:
        """The stable candidates of all points."""
        engine, size = self._engine, (pixels.shape[0], pixels.shape[1])
        content = longest_side(*size, engine.image_size)
        features = engine.encode_image(
            torch.from_numpy(fit_square(pixels, engine.image_size))[None]
        )
        grid = point_grid(self._per_side) * torch.tensor([size[1], size[0]])
        batches: list[MaskCandidates] = []
        for points in torch.split(grid, POINT_BATCH_SIZE):
            logits, iou = engine.masks_at(features, to_input(points, size, content).float())
            good = filter_iou(iou)
            prompts = points.unsqueeze(1).expand(-1, iou.shape[1], -1)[good]
            # Enlarge only after filtering: a full batch would take gigabytes.
            large = enlarge_logits(logits[good], engine.image_size, content, size)
            batches.append(filter_stability(large, iou[good], prompts))
        return MaskCandidates(*(torch.cat(entries) for entries in zip(*batches, strict=True)))


def rescale_box(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Downscale an image to at most 1024 px by area averaging; smaller images are unchanged.

    The new size is truncated, not rounded.
    """
    height, width = pixels.shape[:2]
    if max(height, width) <= _MAX_SIDE:
        return pixels
    scale = _MAX_SIDE / max(height, width)
    new = max(1, int(height * scale)), max(1, int(width * scale))
    strips = np.array_split(
        pixels, -(-width // _STRIP_WIDTH), axis=1
    )  # bounds the memory of float64 sums
    rows = np.concatenate([_area_means(s.astype(np.float64), new[0]) for s in strips], axis=1)
    resized = _area_means(rows.swapaxes(0, 1), new[1]).swapaxes(0, 1)
    return np.rint(resized).astype(np.uint8)


def _area_means(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Means over ``count`` equal intervals of the first axis, with fractional ends."""
    total = np.concatenate([np.zeros_like(values[:1]), values.cumsum(0)])
    ends = np.arange(count + 1) * (len(values) / count)
    floor = np.minimum(ends.astype(np.int64), len(values) - 1)
    fraction = (ends - floor).reshape(-1, *[1] * (values.ndim - 1))
    cumulative = total[floor] + fraction * values[floor]
    means: NDArray[np.float64] = np.diff(cumulative, axis=0) * (count / len(values))
    return means


def open_sam_proposer(
    model: str,
    digest: str,
    engine: str,
    device: str,
    sam: Callable[[], SAM],
    note: Note | None = None,
) -> SAMProposer:
    """The proposer of a model's SAM. sam: loads the weights, called only for the torch engine.
    note: see ``ProposalOptions``.

    Raises WeightsError if the ONNX engine finds no export of these weights.
    """
    if engine == TORCH:
        return SAMProposer(TorchSAM(sam()), digest)
    from vlseg_cli.models.proposals.onnx_engine import OnnxSAM

    exported = export_folder(model) if engine == ONNX else Path(engine).expanduser()
    return SAMProposer(OnnxSAM(exported, digest, device, note), digest)
