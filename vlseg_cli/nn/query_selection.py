"""Which places of a picture look like what was asked for: they become the decoder's queries.

Every location of the memory is compared with the embeddings of the words or the sentence; the N
most similar give content and a first box. Source: MVP-LM section 5 (paper 3.1, MaskDINO's
two-stage selection with language in place of a classifier).
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vlseg_cli.nn.deformable import FlatMaps, cell_centers

_SMALLEST_BOX = 0.05  # side of a proposal on the first level, as a share of the picture
_MARGIN = 0.01  # proposals nearer to the border are no candidates
_AT_ONCE = 256  # conditions compared at once: thousands of names must not multiply the memory


class Candidates(NamedTuple):
    """features m (B, S, D); proposals (S, 4) logits of cx, cy, w, h, infinite where not valid."""

    features: Tensor
    proposals: Tensor


class QuerySelection(nn.Module):
    """Memory to candidates, candidates to chosen places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, memory: FlatMaps) -> Candidates:
        """All locations of all levels, in the memory's order."""
        boxes = proposals(memory).to(memory.vectors.dtype)
        valid = boxes.isfinite().all(-1, keepdim=True)
        return Candidates(self.norm(self.project(memory.vectors * valid)), boxes)


def proposals(memory: FlatMaps) -> Tensor:
    """(S, 4): each location's own box as logits; the later a level, the larger its boxes."""
    parts = []
    for level, size in enumerate(memory.sizes):
        centers = cell_centers(size, memory.vectors.device)
        parts.append(torch.cat([centers, torch.full_like(centers, _SMALLEST_BOX * 2**level)], -1))
    boxes = torch.cat(parts)
    valid = ((boxes > _MARGIN) & (boxes < 1 - _MARGIN)).all(-1, keepdim=True)
    return torch.logit(boxes).masked_fill(~valid, float("inf"))


@torch.no_grad()
def select(
    candidates: Candidates,
    projected: Tensor,
    pictures: Tensor,
    conditions: Iterable[Tensor],
    count: int,
) -> Tensor:
    """Places of the ``count`` best candidates of each prompt, best first: (P, N).

    projected (B, S, D): the candidates' features in the space of the conditions. conditions: per
    prompt (K, D), without background; a candidate is as good as its most similar condition.
    """
    valid = candidates.proposals.isfinite().all(-1)
    chosen = []
    for picture, words in zip(pictures.tolist(), conditions, strict=True):
        best = similarity(projected[picture], words).masked_fill(~valid, float("-inf"))
        chosen.append(best.topk(count).indices)
    return torch.stack(chosen)


def similarity(projected: Tensor, words: Tensor) -> Tensor:
    """(S, D), (K, D) -> (S,): the largest dot product with any of the words."""
    parts = [(projected @ part.T).amax(1) for part in torch.split(words, _AT_ONCE)]
    return torch.stack(parts).amax(0)


def at(values: Tensor, pictures: Tensor, places: Tensor) -> Tensor:
    """values (B, S, D) at the places (P, N) of each prompt's picture -> (P, N, D)."""
    return values[pictures.unsqueeze(1), places]
