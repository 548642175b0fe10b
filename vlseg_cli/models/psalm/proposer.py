"""PSALM as a mask proposer: every mask that its queries decode, whatever category they score.

The masks of a miniature are coarse, so an image is also processed in quarters, as SAM's authors do
with crops: small objects are larger there. A mask cut by a crop's inner edge is in the whole image.
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

_OBJECTNESS = 0.2  # probability that a query found any object, to be exceeded
_CLASS_FREE = ("thing",)  # the category of a model that was trained with no names of its own


class _Crop(NamedTuple):
    """Part of an image: first row and column, height and width."""

    top: int
    left: int
    height: int
    width: int

    def cuts(self, mask: NDArray[np.bool_], frame: Frame) -> bool:
        """Whether a mask of the crop touches a side that is no side of the image."""
        return bool(
            (self.top > 0 and mask[0].any())
            or (self.left > 0 and mask[:, 0].any())
            or (self.top + self.height < frame.height and mask[-1].any())
            or (self.left + self.width < frame.width and mask[:, -1].any())
        )


class PSALMProposer:
    """See ``Proposer``. parts: into how many pieces each side is cut besides the whole image; 1 for
    the whole image alone."""

    def __init__(self, psalm: PSALMSegmenter, key: str, parts: int = 2) -> None:
        self._psalm, self._parts = psalm, parts
        self.key = f"{key} class-free {parts}"

    def propose(self, frame: Frame) -> Proposals:
        """Masks on the image's own grid, without duplicates."""
        masks: list[NDArray[np.bool_]] = []
        scores: list[float] = []
        crops = self._crops(frame)
        for crop, (found, crop_scores) in zip(crops, self._run(frame, crops), strict=True):
            for mask, score in zip(found, crop_scores, strict=True):
                if not crop.cuts(mask, frame):
                    whole = np.zeros((frame.height, frame.width), bool)
                    whole[crop.top :, crop.left :][: crop.height, : crop.width] = mask
                    masks.append(whole)
                    scores.append(score)
        if masks:
            boxes = tight_boxes(torch.from_numpy(np.stack(masks)))
            kept = nms(boxes, torch.tensor(scores)).tolist()
            masks, scores = [masks[index] for index in kept], [scores[index] for index in kept]
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
    def _run(
        self, frame: Frame, crops: list[_Crop]
    ) -> list[tuple[list[NDArray[np.bool_]], list[float]]]:
        """Masks and scores of each crop; all crops in one batch."""
        psalm = self._psalm
        encoded = psalm.encode(
            [
                Frame(frame.pixels[c.top :, c.left :][: c.height, : c.width], frame.source)
                for c in crops
            ]
        )
        sequence = psalm.prompts.categories(psalm.categories or _CLASS_FREE)
        image_index = torch.arange(len(crops), device=psalm.device)
        output = psalm.model(
            encoded.features, [sequence] * len(crops), image_index, ConditionKind.CATEGORY
        )
        results = []
        for index, geometry in enumerate(encoded.geometries):
            objectness = 1 - output.scores[-1][index].softmax(-1)[:, -1]
            kept = objectness > _OBJECTNESS
            logits = resize_to_original(output.pred_masks[-1][index][kept], geometry)
            scores = (objectness[kept] * mask_scores(logits)).tolist()
            results.append(([mask.cpu().numpy() for mask in logits > 0], scores))
        return results
