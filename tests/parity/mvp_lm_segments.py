"""MVP-LM's post-processing against the authors' own code, on the picture's original grid."""

import torch
from parity.golden import Golden
from parity.mvp_lm_golden import KINDS, agree
from torch import Tensor

from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.modeling import DecoderLevel
from vlseg_cli.nn.boxes import boxes_to_pixels
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    semantic_scores,
    top_instances,
)
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.placeholders import ConditionKind


def segments_agree(golden: Golden, case: str, level: DecoderLevel) -> None:
    """What is made of the last level of a prompt. Raises WeightsError."""
    canvas = _canvas_of(golden)
    scores, boxes, low = (part[0] for part in level)
    masks = resize_to_original(low, canvas)
    if KINDS[case] is ConditionKind.SENTENCE:
        _sentence_agrees(golden, case, scores[:, 0], masks)
        return
    is_thing = torch.tensor(golden.config["is_thing"]).bool()
    if case == "pan":
        _panoptic_agrees(golden, scores, masks, is_thing)
    top = golden.config["num_queries"]
    best = top_instances(scores, masks, top, is_thing if case == "pan" else None)
    order = _ranks(golden, f"{case}/post/inst_scores")
    agree(golden, f"{case}/post/inst_scores", best.scores[order])
    agree(golden, f"{case}/post/inst_labels", best.categories[order])
    found = boxes_to_pixels(boxes, canvas)[best.queries][order]
    agree(golden, f"{case}/post/inst_boxes_xyxy", found)
    agree(golden, f"{case}/post/inst_masks", masks[best.queries][order] > 0)


def _canvas_of(golden: Golden) -> ImageGeometry:
    padded, content, original = (tuple(golden.config[key]) for key in ("image", "content", "orig"))
    inside = int(golden["in/padding_mask"].bool().logical_not().sum())
    if inside != content[0] * content[1]:
        raise WeightsError(f"{golden.path.name} pads another area than its sizes say")
    return ImageGeometry(padded, content, original)


def _sentence_agrees(golden: Golden, case: str, scores: Tensor, masks: Tensor) -> None:
    each = referring_scores(scores, masks)
    order = each.argsort(descending=True)[_ranks(golden, f"{case}/post/inst_scores")]
    agree(golden, f"{case}/post/inst_scores", each[order])
    agree(golden, f"{case}/post/inst_masks", masks[order] > 0)
    # The authors' code gives no boxes for sentences; ours are those of the last level.
    agree(golden, f"{case}/post/inst_boxes_xyxy", torch.zeros(len(each), 4))


def _panoptic_agrees(golden: Golden, scores: Tensor, masks: Tensor, is_thing: Tensor) -> None:
    defaults = MVPLMConfig()
    ids, segments = merge_panoptic(
        scores, masks, is_thing.tolist(), defaults.panoptic_score, defaults.panoptic_overlap
    )
    agree(golden, "pan/post/panoptic_seg", ids)
    ours = [
        {"id": s.id, "isthing": bool(is_thing[s.category]), "category_id": s.category}
        for s in segments
    ]
    if ours != golden.metadata["post"]["pan"]["segments_info"]:
        raise WeightsError(f"{golden.path.name}: the panoptic segments differ: {ours}")
    semantic = semantic_scores(scores, masks)
    agree(golden, "pan/post/sem_seg_argmax", semantic.argmax(0))
    agree(golden, "pan/post/sem_seg_mean", semantic.mean((1, 2)))


def _ranks(golden: Golden, name: str) -> Tensor:
    """Ours are best first; where each of theirs, in their own order, stands among those."""
    return golden[f"out/{name}"].argsort(descending=True, stable=True).argsort()
