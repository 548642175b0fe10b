"""Many prompts about one picture share its features: their queries lie side by side, apart.

Prompt p about picture ``pictures[p]`` takes a slot of that picture; a decoder then sees
(B, slots·N) queries, and self-attention keeps the prompts from seeing each other.
"""

import torch
from torch import Tensor


class Packing:
    """Where the N queries of each of P prompts lie among those of B pictures."""

    def __init__(self, pictures: Tensor, batch: int, count: int) -> None:
        """pictures (P,): whose each prompt is; count: N."""
        same = pictures.unsqueeze(0) == pictures.unsqueeze(1)
        self.pictures, self.batch, self.count = pictures, batch, count
        self.slot = same.tril(-1).sum(1)
        self.slots = int(self.slot.max()) + 1

    def pack(self, queries: Tensor) -> Tensor:
        """(P, N, …) -> (B, slots·N, …), zeros where a picture has fewer prompts."""
        packed = queries.new_zeros(self.batch, self.slots, *queries.shape[1:])
        return packed.index_put((self.pictures, self.slot), queries).flatten(1, 2)

    def unpack(self, packed: Tensor) -> Tensor:
        """(B, slots·N, …) -> (P, N, …)."""
        apart = packed.reshape(len(packed), self.slots, self.count, *packed.shape[2:])
        return apart[self.pictures, self.slot]

    def apart(self) -> Tensor:
        """(slots·N, slots·N) bool: True where two queries belong to different prompts."""
        owner = torch.arange(self.slots, device=self.slot.device).repeat_interleave(self.count)
        return owner.unsqueeze(0) != owner.unsqueeze(1)
