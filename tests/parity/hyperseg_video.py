"""HyperSeg's videos against the authors' own code: carried queries, identities, tracks.

The frames go one by one, each seen with what was carried over from the one before.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from parity.golden import Golden
from parity.hyperseg_golden import GoldenRun, HyperSegGolden
from torch import Tensor

from vlseg_cli.models.hyperseg.modeling import HyperSegFeatures
from vlseg_cli.models.mask2former.modeling import mask_tokens
from vlseg_cli.nn.postprocessing import referring_scores, resize_to_original
from vlseg_cli.nn.reid import instance_contrast, simota_assign
from vlseg_cli.nn.tracker import IDOL_RULES, Tracker, TrackerRules
from vlseg_cli.text.placeholders import ConditionKind

_POSITIVES, _CANDIDATES = 10, 30  # queries that a true box claims, as the recorded names say


def video_stages(parity: HyperSegGolden) -> dict[str, Callable[[], None]]:
    """Both kinds of video, both trackers, and the loss of identities; each raises WeightsError."""
    golden = parity.golden
    return {
        "video sentence": partial(_sentence, parity),
        "video category": partial(_categories, parity),
        "tracker default": partial(_track, golden, "default", TrackerRules()),
        "tracker idol": partial(_track, golden, "idol", IDOL_RULES),
        "reidentification": partial(_reidentify, golden),
    }


def _sentence(parity: HyperSegGolden) -> None:
    """A sentence through a video; each frame's fine-grained tokens hand on to the next's."""
    golden, carried = parity.golden, None
    for t in range(golden.config["video_frames"]):
        seen = parity.see(t, carried)
        ran = parity.run(seen, ConditionKind.SENTENCE)
        carried = _carry(parity, f"vid/{t}", seen, ran)
        masks, scores = ran.answered.pred_masks[-1], ran.answered.scores[-1]
        golden.agrees(f"vid/{t}/fvp_tokens", seen.fine)
        golden.agrees(f"vid/{t}/llm_hidden_mask_tokens", mask_tokens(ran.read))
        golden.agrees(f"vid/{t}/cond_sentence_projected", ran.asked.conditions)
        golden.agrees(f"vid/{t}/pred_masks", masks)
        golden.agrees(f"vid/{t}/score_sentence", scores)
        each = referring_scores(scores[0, :, 0], resize_to_original(masks[0], parity.canvas))
        golden.agrees(f"vid/{t}/post_scores", each)


def _categories(parity: HyperSegGolden) -> None:
    """Names through a video, with what tells one object of a name from another."""
    golden, carried = parity.golden, None
    for t in range(golden.config["video_frames"]):
        seen = parity.see(t, carried)
        ran = parity.run(seen, ConditionKind.CATEGORY)
        carried = _carry(parity, f"vis/{t}", seen, ran)
        with torch.no_grad():
            identified = parity.model.instance_embeddings(ran.answered)
        golden.agrees(f"vis/{t}/cond_class_projected", ran.asked.conditions)
        golden.agrees(f"vis/{t}/score_class", ran.answered.scores[-1])
        golden.agrees(f"vis/{t}/pred_boxes", identified.boxes)
        golden.agrees(f"vis/{t}/decoder_hs", ran.answered.content)
        golden.agrees(f"vis/{t}/instance_embedding", identified.embeddings)
        golden.agrees(f"vis/{t}/pred_masks", ran.answered.pred_masks[-1])


def _carry(parity: HyperSegGolden, at: str, seen: HyperSegFeatures, ran: GoldenRun) -> Tensor:
    with torch.no_grad():
        carried = parity.model.carry(seen, ran.sequence)
    parity.golden.agrees(f"{at}/next_temporal_query", carried)
    return carried


def _track(golden: Golden, column: str, rules: TrackerRules) -> None:
    """Recorded detections; between two frames the tracker is put away and taken up again."""
    tracker = Tracker(rules)
    frames = {int(name.split("/")[2]) for name in golden.tensors if name.startswith("in/tracker/")}
    for t in sorted(frames):
        at = f"in/tracker/{t}"
        tracked = tracker.step(
            golden[f"{at}/bboxes"][:, 4].numpy(),
            golden[f"{at}/embeds"].numpy(),
            (golden[f"{at}/mask_logits"][:, 0].sigmoid() > 0.5).numpy(),
        )
        golden.agrees(f"tracker_{column}/{t}/ids", torch.from_numpy(tracked.ids))
        golden.agrees(f"tracker_{column}/{t}/kept_indices", torch.from_numpy(tracked.kept))
        tracker = Tracker(rules, {key: np.array(v) for key, v in tracker.state().items()})


def _reidentify(golden: Golden) -> None:
    """Which queries of another frame each object claims, and the contrast between them."""
    names = ("ref_boxes", "ref_class_logits", "gt_boxes", "gt_labels")
    seen, logits, true, labels = (golden[f"in/reid/{name}"] for name in names)
    positive = simota_assign(seen, logits, true, labels, _POSITIVES)
    candidates = simota_assign(seen, logits, true, labels, _CANDIDATES)
    golden.agrees(f"reid/pos_top{_POSITIVES}", positive.to(torch.uint8))
    golden.agrees(f"reid/cand_top{_CANDIDATES}", candidates.to(torch.uint8))
    key, embeddings = golden["in/reid/key_embeds"], golden["in/reid/ref_embeds"]
    value = instance_contrast(key, embeddings, positive, candidates)
    golden.agrees("reid/contrastive_per_instance", value.contrast)
