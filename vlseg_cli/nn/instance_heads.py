"""What a query says beside its mask: its box, and an embedding by which it is known again.

Source: HyperSeg section 8 (``predictor.box_embed``, ``predictor.reid_embed_head``).
"""

from typing import NamedTuple

from torch import Tensor, nn

from vlseg_cli.nn.mask_decoder import MLP


class Identified(NamedTuple):
    """boxes (P, N, 4): cx, cy, w, h as shares of the network's input. embeddings (P, N, D)."""

    boxes: Tensor
    embeddings: Tensor


class InstanceHeads(nn.Module):
    """Two MLPs of three layers over the mask decoder's queries."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.boxes = MLP(channels, 3, 4)
        self.embedding = MLP(channels, 3)

    def forward(self, hidden: Tensor, content: Tensor) -> Identified:
        """z (P, N, D) after the decoder's norm tells boxes, content (P, N, D) before it tells
        embeddings."""
        return Identified(self.boxes(hidden).sigmoid(), self.embedding(content))
