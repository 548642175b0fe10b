"""Every stage of HyperSeg against the authors' own code, at the sizes of the golden file."""

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np
import torch
from parity.golden import Golden
from parity.hyperseg_golden import (
    FILED,
    FIRST,
    DrawnPoints,
    GoldenRun,
    HyperSegGolden,
    drawn_regions,
)
from torch import Tensor

from vlseg_cli.models.hyperseg.modeling import HyperSegFeatures
from vlseg_cli.models.mask2former.criterion import condition_losses
from vlseg_cli.models.mask2former.image_processing import fit_pixels, squash_pixels, squash_regions
from vlseg_cli.models.mask2former.modeling import generate_text, mask_tokens, pool_conditions
from vlseg_cli.nn.hungarian_matcher import match_masks
from vlseg_cli.nn.pooling import sample_mean
from vlseg_cli.nn.postprocessing import referring_scores, resize_to_original
from vlseg_cli.nn.reid import instance_contrast, simota_assign
from vlseg_cli.nn.tracker import IDOL_RULES, Tracker, TrackerRules
from vlseg_cli.schema import Frame
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import assemble_chat

_LOSSES = {"sentence": "SEG_class", "mask": "mask", "dice": "dice"}


def hyperseg_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Preprocessing, the four steps for each condition, post-processing, losses, chat, videos."""
    model = HyperSegGolden(golden)
    image = _Picture(model)
    runs = {kind: _HyperSegRun(model, kind) for kind in FILED}
    steps = ("run_language_model", "build_queries", "decode_masks")
    queries = {
        f"{step} {kind}": partial(getattr(runs[kind], step)) for kind in FILED for step in steps
    }
    referred = runs[ConditionKind.SENTENCE]
    return {
        "preprocessing": image.preprocessing,
        "encode_image": image.encode_image,
        "perceiver": image.perceiver,
        **queries,
        "segments": referred.segments,
        "losses": referred.losses,
        "chat": image.chat,
        **video_stages(model),
    }


class _Picture:
    """Stages that do not depend on a condition."""

    def __init__(self, parity: HyperSegGolden) -> None:
        self.parity, self.golden, self.model = parity, parity.golden, parity.model

    def preprocessing(self) -> None:
        """An image and a region as input of both vision encoders."""
        golden = self.golden
        frame = Frame(golden["in/pre/image"].numpy(), "pre")
        pixels, (height, width) = fit_pixels(frame, golden.config["image_size_swin"])
        golden.agrees("pre/swin_input", torch.from_numpy(pixels))
        padding = torch.ones(pixels.shape[1:], dtype=torch.uint8)
        padding[:height, :width] = 0
        golden.agrees("pre/padding_mask", padding)
        size = golden.config["siglip"]["image_size"]
        golden.agrees("pre/siglip_input", torch.from_numpy(squash_pixels(frame, size)))
        mask = golden["in/pre/region_mask"].bool().numpy()
        region = torch.from_numpy(squash_regions(mask[None], size))
        golden.agrees("pre/region_mask_resized", region.float())

    def encode_image(self) -> None:
        """Both vision encoders, image tokens, mask features and memory."""
        golden, features = self.golden, self.parity.features
        with torch.no_grad():
            clip = self.model.clip_tower(golden["in/frames_clip"][:1])
        golden.agrees("ref/siglip_features", clip)
        golden.agrees("ref/connector", features.tokens.flatten(2).transpose(1, 2))
        for name, maps in zip(("res2", "res3", "res4", "res5"), features.pyramid, strict=True):
            golden.agrees(f"ref/swin_{name}", maps)
        golden.agrees("ref/pixel_mask_features", features.pixels.mask_features)
        for level, memory in enumerate(features.pixels.memory):
            golden.agrees(f"ref/pixel_multi_scale_{level}", memory)

    def perceiver(self) -> None:
        """The fine-grained tokens, scale by scale."""
        golden, features, perceiver = (
            self.golden,
            self.parity.features,
            self.model.perceiver,
        )
        with torch.no_grad():
            queries = perceiver.query[None]
            scales = perceiver.project_pyramid(features.pyramid[1:])
            for level, (layer, maps) in enumerate(zip(perceiver.layers, scales, strict=True)):
                golden.agrees(f"ref/fvp_kv_{level}", maps)
                queries = layer(queries, maps)
                golden.agrees(f"ref/fvp_after_scale_{level}", queries)
            golden.agrees("ref/fvp_normed", perceiver.norm(queries))
        golden.agrees("ref/fvp_tokens", features.fine)

    def chat(self) -> None:
        """Text about the image: the logits of every position, then greedy decoding."""
        golden, model, features = self.golden, self.model, self.parity.features
        sequence = assemble_chat(golden["in/vqa/input_ids"].tolist())
        with torch.no_grad():
            language_output = model.run_language_model(features, [sequence], FIRST)
            prefix = model.encode_prefix(features, sequence)
            logits = model.lm_head(torch.cat([prefix.hidden, language_output.hidden], 1))
        golden.agrees("vqa/logits", logits)
        count = len(golden["out/vqa/greedy_ids"])
        generated = generate_text(model, prefix, 0, sequence, lambda _: False, count)
        golden.agrees("vqa/greedy_ids", torch.tensor(generated))


class _HyperSegRun:
    """One kind of condition: steps 2 to 4, post-processing and losses."""

    def __init__(self, parity: HyperSegGolden, kind: ConditionKind) -> None:
        self.parity, self.kind = parity, kind
        self.golden, self.model = parity.golden, parity.model

    @cached_property
    def _regions(self) -> Tensor:
        """Region vectors from the points that the authors drew."""
        points = drawn_regions(self.golden)
        return sample_mean(self.parity.features.tokens.expand(len(points), -1, -1, -1), points)

    @cached_property
    def _ran(self) -> GoldenRun:
        regions = self._regions if self.kind is ConditionKind.REGION else None
        return self.parity.run(self.parity.features, self.kind, regions)

    def _agrees(self, name: str, ours: Tensor) -> None:
        self.golden.agrees(f"{FILED[self.kind]}/{name}", ours)

    def run_language_model(self) -> None:
        """The whole sequence, and the positions of its kinds of tokens."""
        language_output, prefix = self._ran.language_output, self._ran.prefix
        self._agrees("llm_inputs_embeds", torch.cat([prefix.embeds, language_output.embeds], 1))
        self._agrees("llm_hidden", torch.cat([prefix.hidden, language_output.hidden], 1))
        self._agrees("llm_hidden_mask_tokens", mask_tokens(language_output))
        before, fine = prefix.embeds.shape[1], self.golden.config["fvp"]["num_tokens"]
        self._agrees("pos_fvp_tokens", torch.arange(before - fine, before))
        is_mask = (language_output.ids[0] < 0) & (language_output.condition[0] < 0)
        self._agrees("pos_mask_tokens", is_mask.nonzero()[:, 0] + before)
        conditions = (language_output.condition[0] >= 0).nonzero()[:, 0] + before
        if self.kind is ConditionKind.CATEGORY:
            index = torch.cat(
                [torch.zeros(before, dtype=torch.long), language_output.condition[0] + 1]
            )
            self._agrees("pos_class_index", index)
        elif self.kind is ConditionKind.SENTENCE:
            self._agrees("pos_sentence", conditions)
        else:
            self._agrees("pos_region", conditions)

    def build_queries(self) -> None:
        """Queries and conditions; regions before the language model, too."""
        queries = self._ran.queries
        self._agrees("mask_tokens_projected", queries.queries)
        pooled, _ = pool_conditions(self._ran.language_output)
        if self.kind is ConditionKind.REGION:
            self._agrees("cond_region_hidden", pooled[0])
            self._agrees("cond_region_projected", queries.conditions[0])
            self._ask_regions()
        else:
            name = "sentence" if self.kind is ConditionKind.SENTENCE else "class"
            self._agrees(f"cond_{name}_pooled", pooled)
            self._agrees(f"cond_{name}_projected", queries.conditions)

    def _ask_regions(self) -> None:
        self._agrees("region_features", self._regions)
        masks = self.golden["in/reg/region_masks"].bool()
        count = self.golden.config["num_regions"]
        self.golden.require(len(masks) == count, f"{len(masks)} regions, not {count}")
        image_index = torch.zeros(len(masks), dtype=torch.long)
        with torch.no_grad():
            pooled = self.model.region_features(self.parity.features, image_index, masks)
            vectors = self.model.embed_regions(pooled)
        self._agrees("region_features_unique_mean", vectors)

    def decode_masks(self) -> None:
        """Masks of every level (of the early ones their means) and the last scores."""
        scores = self._ran.mask_output.scores[-1]
        *early, last = self._ran.mask_output.pred_masks
        self._agrees("pred_masks", last)
        for level, masks in enumerate(early):
            self._agrees(f"aux{level}_pred_masks_mean", masks.mean((2, 3)))
        if self.kind is ConditionKind.REGION:
            self._agrees("score_region", scores[0].T)
        elif self.kind is ConditionKind.SENTENCE:
            self._agrees("score_sentence", scores)
        else:
            self._agrees("score_class", scores)

    def segments(self) -> None:
        """Masks at the image's original size, and the best of them."""
        mask_output = self._ran.mask_output
        masks = resize_to_original(mask_output.pred_masks[-1][0], self.parity.geometry)
        scores = referring_scores(mask_output.scores[-1][0, :, 0], masks)
        self._agrees("post_scores", scores)
        self._agrees("post_masks", (masks > 0).to(torch.uint8))
        self._agrees("best_mask_token", scores.argmax().reshape(1))

    def losses(self) -> None:
        """Which query is matched to which true mask, and the last level's losses."""
        golden, mask_output = self.golden, self._ran.mask_output
        truth, sampling = golden["in/loss/targets"], DrawnPoints(golden)
        logits, wanted = sampling.for_matching(mask_output.pred_masks[-1][0], truth.float())
        mask, dice, label = (
            golden.config["loss"][f"{n}_weight"] for n in ("mask", "dice", "class")
        )
        queries, objects = match_masks(logits, wanted, None, (mask, dice, label))
        golden.agrees("loss/match_pred", queries)
        golden.agrees("loss/match_gt", objects)
        labels = [torch.zeros(len(truth), dtype=torch.long)]
        last = condition_losses(mask_output, [truth], labels, sampling, self.kind)[-1]
        for ours, theirs in _LOSSES.items():
            golden.agrees(f"loss/loss_{theirs}", last[ours].reshape(1))


_POSITIVES, _CANDIDATES = 10, 30  # queries per true box, as in the recorded names


def video_stages(parity: HyperSegGolden) -> dict[str, Callable[[], None]]:
    """Sentences and categories through a video, both trackers, and the loss of identities."""
    golden = parity.golden
    return {
        "video sentence": partial(_sentence, parity),
        "video category": partial(_categories, parity),
        "tracker default": partial(_track, golden, "default", TrackerRules()),
        "tracker idol": partial(_track, golden, "idol", IDOL_RULES),
        "reid": partial(_reidentify, golden),
    }


def _sentence(parity: HyperSegGolden) -> None:
    """A sentence through a video; queries are carried from frame to frame."""
    golden, carried = parity.golden, None
    for t in range(golden.config["video_frames"]):
        features = parity.encode_image(t, carried)
        ran = parity.run(features, ConditionKind.SENTENCE)
        carried = _carry(parity, f"vid/{t}", features, ran)
        masks, scores = ran.mask_output.pred_masks[-1], ran.mask_output.scores[-1]
        golden.agrees(f"vid/{t}/fvp_tokens", features.fine)
        golden.agrees(f"vid/{t}/llm_hidden_mask_tokens", mask_tokens(ran.language_output))
        golden.agrees(f"vid/{t}/cond_sentence_projected", ran.queries.conditions)
        golden.agrees(f"vid/{t}/pred_masks", masks)
        golden.agrees(f"vid/{t}/score_sentence", scores)
        each = referring_scores(scores[0, :, 0], resize_to_original(masks[0], parity.geometry))
        golden.agrees(f"vid/{t}/post_scores", each)


def _categories(parity: HyperSegGolden) -> None:
    """Categories through a video, with boxes and identity embeddings."""
    golden, carried = parity.golden, None
    for t in range(golden.config["video_frames"]):
        features = parity.encode_image(t, carried)
        ran = parity.run(features, ConditionKind.CATEGORY)
        carried = _carry(parity, f"vis/{t}", features, ran)
        with torch.no_grad():
            identified = parity.model.instance_embeddings(ran.mask_output)
        golden.agrees(f"vis/{t}/cond_class_projected", ran.queries.conditions)
        golden.agrees(f"vis/{t}/score_class", ran.mask_output.scores[-1])
        golden.agrees(f"vis/{t}/pred_boxes", identified.boxes)
        golden.agrees(f"vis/{t}/decoder_hs", ran.mask_output.content)
        golden.agrees(f"vis/{t}/instance_embedding", identified.embeddings)
        golden.agrees(f"vis/{t}/pred_masks", ran.mask_output.pred_masks[-1])


def _carry(parity: HyperSegGolden, at: str, features: HyperSegFeatures, ran: GoldenRun) -> Tensor:
    with torch.no_grad():
        carried = parity.model.carry(features, ran.sequence)
    parity.golden.agrees(f"{at}/next_temporal_query", carried)
    return carried


def _track(golden: Golden, column: str, rules: TrackerRules) -> None:
    """Recorded detections; between two frames the tracker is rebuilt from its state."""
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
    """The SimOTA assignment of another frame's queries, and the contrastive loss."""
    names = ("ref_boxes", "ref_class_logits", "gt_boxes", "gt_labels")
    boxes, logits, true, labels = (golden[f"in/reid/{name}"] for name in names)
    positive = simota_assign(boxes, logits, true, labels, _POSITIVES)
    candidates = simota_assign(boxes, logits, true, labels, _CANDIDATES)
    golden.agrees(f"reid/pos_top{_POSITIVES}", positive.to(torch.uint8))
    golden.agrees(f"reid/cand_top{_CANDIDATES}", candidates.to(torch.uint8))
    key, embeddings = golden["in/reid/key_embeds"], golden["in/reid/ref_embeds"]
    value = instance_contrast(key, embeddings, positive, candidates)
    golden.agrees("reid/contrastive_per_instance", value.contrast)
