"""A PSALM as proposer: every mask that its queries draw, whatever name they would give it.

A miniature draws coarse masks, so a picture is also looked at in quarters, as SAM's authors do
with crops: small things are larger there. What a crop's inner edge cuts off was seen whole before.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from vlseg_cli.models.proposals.base import Proposals, proposals_of
from vlseg_cli.models.proposals.filters import nms, tight_boxes
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.nn.postprocessing import mask_scores, resize_to_original
from vlseg_cli.schema import Frame
from vlseg_cli.text.placeholders import ConditionKind

_CERTAIN = 0.2  # chance that a query found anything at all, to be exceeded
_NAMELESS = ("thing",)  # what is asked for where a model was trained with no names of its own


class _Crop(NamedTuple):
    """Part of a picture: first row and column, height and width."""

    top: int
    left: int
    height: int
    width: int


class PSALMProposer:
    """See ``Proposer``. parts: into how many pieces each side is cut besides the whole picture; 1
    looks at the whole alone."""

    def __init__(self, psalm: PSALMSegmenter, key: str, parts: int = 2) -> None:
        self._psalm, self._parts = psalm, parts
        self.key = f"{key} class-free {parts}"

    def propose(self, frame: Frame) -> Proposals:
        """Masks on the picture's own grid, doubles suppressed."""
        masks: list[NDArray[np.bool_]] = []
        scores: list[float] = []
        for crop, (found, certain) in zip(self._crops(frame), self._answers(frame), strict=True):
            for mask, score in zip(found, certain, strict=True):
                if not _is_cut(mask, crop, frame):
                    whole = np.zeros((frame.height, frame.width), bool)
                    whole[crop.top :, crop.left :][: crop.height, : crop.width] = mask
                    masks.append(whole)
                    scores.append(score)
        if masks:
            boxes = tight_boxes(torch.from_numpy(np.stack(masks)))
            kept = nms(boxes, torch.tensor(scores)).tolist()
            masks, scores = [masks[place] for place in kept], [scores[place] for place in kept]
        return proposals_of(masks, scores, frame.height, frame.width)

    def _crops(self, frame: Frame) -> list[_Crop]:
        crops = [_Crop(0, 0, frame.height, frame.width)]
        if self._parts > 1:
            rows = np.linspace(0, frame.height, self._parts + 1).astype(int).tolist()
            columns = np.linspace(0, frame.width, self._parts + 1).astype(int).tolist()
            crops += [
                _Crop(top, left, bottom - top, right - left)
                for top, bottom in pairwise(rows)
                for left, right in pairwise(columns)
                if bottom > top and right > left
            ]
        return crops

    @torch.inference_mode()
    def _answers(self, frame: Frame) -> list[tuple[list[NDArray[np.bool_]], list[float]]]:
        """Masks and scores of each crop; all crops are looked at together."""
        psalm = self._psalm
        frames = [
            Frame(frame.pixels[c.top : c.top + c.height, c.left : c.left + c.width], frame.source)
            for c in self._crops(frame)
        ]
        encoded = psalm.encode(frames)
        sequence = psalm.prompts.categories(psalm.categories or _NAMELESS)
        pictures = torch.arange(len(frames), device=psalm.device)
        answered = psalm.model(
            encoded.features, [sequence] * len(frames), pictures, ConditionKind.CATEGORY
        )
        answers = []
        for place, canvas in enumerate(encoded.geometries):
            something = 1 - answered.scores[-1][place].softmax(-1)[:, -1]
            certain = something > _CERTAIN
            logits = resize_to_original(answered.pred_masks[-1][place][certain], canvas)
            scores = (something[certain] * mask_scores(logits)).tolist()
            answers.append(([mask.cpu().numpy() for mask in logits > 0], scores))
        return answers


def _is_cut(mask: NDArray[np.bool_], crop: _Crop, frame: Frame) -> bool:
    """Whether a mask of a crop touches a side that is no side of the picture."""
    return bool(
        (crop.top > 0 and mask[0].any())
        or (crop.left > 0 and mask[:, 0].any())
        or (crop.top + crop.height < frame.height and mask[-1].any())
        or (crop.left + crop.width < frame.width and mask[:, -1].any())
    )
