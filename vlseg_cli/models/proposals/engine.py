"""What runs SAM for a proposer: torch here, ONNX Runtime in ``onnx_engine.py``."""

from typing import Protocol

import torch
from torch import Tensor

from vlseg_cli.nn.sam import SAM


class Engine(Protocol):
    """SAM, whatever runs it; see ``nn.sam.SAM`` for the shapes. name: tells engines apart."""

    name: str
    image_size: int

    def look(self, pixels: Tensor) -> Tensor: ...

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]: ...


class TorchEngine:
    """SAM by torch, on whatever device it is."""

    name = "torch"

    def __init__(self, sam: SAM) -> None:
        self.image_size = sam.image_size
        self._sam = sam.eval()
        self._like = next(sam.parameters())

    @torch.inference_mode()
    def look(self, pixels: Tensor) -> Tensor:
        """(1, 3, S, S) -> features."""
        return self._sam.look(pixels.to(self._like))

    @torch.inference_mode()
    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Features, (Q, 2) -> logits (Q, 3, h, w) and expected IoU (Q, 3), on the CPU."""
        logits, iou = self._sam.masks_at(features, points.to(self._like))
        return logits.float().cpu(), iou.float().cpu()
