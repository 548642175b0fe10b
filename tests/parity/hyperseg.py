"""Every stage of HyperSeg against the authors' own code, at whatever sizes the golden file has.

Here a single picture: four steps, masks, words, losses; ``hyperseg_parity_video.py`` has the rest.
"""

from collections.abc import Callable
from functools import cached_property, partial

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
from parity.hyperseg_video import video_stages
from torch import Tensor

from vlseg_cli.models.mask2former.criterion import condition_losses
from vlseg_cli.models.mask2former.image_processing import fit_pixels, squash_pixels, squash_regions
from vlseg_cli.models.mask2former.modeling import generate_text, mask_tokens, pool_conditions
from vlseg_cli.nn.hungarian_matcher import match_masks
from vlseg_cli.nn.pooling import sample_mean
from vlseg_cli.nn.postprocessing import referring_scores, resize_to_original
from vlseg_cli.schema import Frame
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import assemble_chat

_LOSSES = {"sentence": "SEG_class", "mask": "mask", "dice": "dice"}


def hyperseg_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Pixels, the four steps for each condition, what is made of them, then videos; each raises
    WeightsError."""
    model = HyperSegGolden(golden)
    picture = _Picture(model)
    runs = {kind: _HyperSegRun(model, kind) for kind in FILED}
    steps = ("read", "ask", "answer")
    asked = {
        f"{step} {kind}": partial(getattr(runs[kind], step)) for kind in FILED for step in steps
    }
    referred = runs[ConditionKind.SENTENCE]
    return {
        "pixels": picture.pixels,
        "see": picture.see,
        "perceive": picture.perceive,
        **asked,
        "segments": referred.segments,
        "losses": referred.losses,
        "chat": picture.chat,
        **video_stages(model),
    }


class _Picture:
    """What does not depend on a condition."""

    def __init__(self, parity: HyperSegGolden) -> None:
        self.parity, self.golden, self.model = parity, parity.golden, parity.model

    def pixels(self) -> None:
        """A picture and a region, prepared for both eyes."""
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

    def see(self) -> None:
        """Both towers, image tokens and what the pixel decoder makes of the pyramid."""
        golden, seen = self.golden, self.parity.seen
        with torch.no_grad():
            clip = self.model.clip_tower(golden["in/frames_clip"][:1])
        golden.agrees("ref/siglip_features", clip)
        golden.agrees("ref/connector", seen.tokens.flatten(2).transpose(1, 2))
        for name, features in zip(("res2", "res3", "res4", "res5"), seen.pyramid, strict=True):
            golden.agrees(f"ref/swin_{name}", features)
        golden.agrees("ref/pixel_mask_features", seen.pixels.mask_features)
        for level, memory in enumerate(seen.pixels.memory):
            golden.agrees(f"ref/pixel_multi_scale_{level}", memory)

    def perceive(self) -> None:
        """The fine-grained tokens, scale by scale."""
        golden, seen, perceiver = self.golden, self.parity.seen, self.model.perceiver
        with torch.no_grad():
            queries = perceiver.query[None]
            scales = perceiver.project_pyramid(seen.pyramid[1:])
            for level, (layer, features) in enumerate(zip(perceiver.layers, scales, strict=True)):
                golden.agrees(f"ref/fvp_kv_{level}", features)
                queries = layer(queries, features)
                golden.agrees(f"ref/fvp_after_scale_{level}", queries)
            golden.agrees("ref/fvp_normed", perceiver.norm(queries))
        golden.agrees("ref/fvp_tokens", seen.fine)

    def chat(self) -> None:
        """Words about the picture: every position's logits, then what is said."""
        golden, model, seen = self.golden, self.model, self.parity.seen
        sequence = assemble_chat(golden["in/vqa/input_ids"].tolist())
        with torch.no_grad():
            read = model.run_language_model(seen, [sequence], FIRST)
            prefix = model.encode_prefix(seen, sequence)
            logits = model.lm_head(torch.cat([prefix.hidden, read.hidden], 1))
        golden.agrees("vqa/logits", logits)
        count = len(golden["out/vqa/greedy_ids"])
        said = generate_text(model, prefix, 0, sequence, lambda _: False, count)
        golden.agrees("vqa/greedy_ids", torch.tensor(said))


class _HyperSegRun:
    """One condition: steps 2 to 4, and what is made of the answer."""

    def __init__(self, parity: HyperSegGolden, kind: ConditionKind) -> None:
        self.parity, self.kind = parity, kind
        self.golden, self.model = parity.golden, parity.model

    @cached_property
    def _regions(self) -> Tensor:
        """Region vectors from the very points that the authors drew."""
        points = drawn_regions(self.golden)
        return sample_mean(self.parity.seen.tokens.expand(len(points), -1, -1, -1), points)

    @cached_property
    def _ran(self) -> GoldenRun:
        regions = self._regions if self.kind is ConditionKind.REGION else None
        return self.parity.run(self.parity.seen, self.kind, regions)

    def _agrees(self, name: str, ours: Tensor) -> None:
        self.golden.agrees(f"{FILED[self.kind]}/{name}", ours)

    def read(self) -> None:
        """The whole sequence, and which of its places are what."""
        read, prefix = self._ran.read, self._ran.prefix
        self._agrees("llm_inputs_embeds", torch.cat([prefix.embeds, read.embeds], 1))
        self._agrees("llm_hidden", torch.cat([prefix.hidden, read.hidden], 1))
        self._agrees("llm_hidden_mask_tokens", mask_tokens(read))
        before, fine = prefix.embeds.shape[1], self.golden.config["fvp"]["num_tokens"]
        self._agrees("pos_fvp_tokens", torch.arange(before - fine, before))
        places = (read.ids[0] < 0) & (read.condition[0] < 0)
        self._agrees("pos_mask_tokens", places.nonzero()[:, 0] + before)
        conditions = (read.condition[0] >= 0).nonzero()[:, 0] + before
        if self.kind is ConditionKind.CATEGORY:
            index = torch.cat([torch.zeros(before, dtype=torch.long), read.condition[0] + 1])
            self._agrees("pos_class_index", index)
        elif self.kind is ConditionKind.SENTENCE:
            self._agrees("pos_sentence", conditions)
        else:
            self._agrees("pos_region", conditions)

    def ask(self) -> None:
        """Queries and conditions; regions before the language model, too."""
        asked = self._ran.asked
        self._agrees("mask_tokens_projected", asked.queries)
        pooled, _ = pool_conditions(self._ran.read)
        if self.kind is ConditionKind.REGION:
            self._agrees("cond_region_hidden", pooled[0])
            self._agrees("cond_region_projected", asked.conditions[0])
            self._ask_regions()
        else:
            name = "sentence" if self.kind is ConditionKind.SENTENCE else "class"
            self._agrees(f"cond_{name}_pooled", pooled)
            self._agrees(f"cond_{name}_projected", asked.conditions)

    def _ask_regions(self) -> None:
        self._agrees("region_features", self._regions)
        masks = self.golden["in/reg/region_masks"].bool()
        count = self.golden.config["num_regions"]
        self.golden.require(len(masks) == count, f"{len(masks)} regions, not {count}")
        pictures = torch.zeros(len(masks), dtype=torch.long)
        with torch.no_grad():
            vectors = self.model.embed_regions(self.parity.seen, pictures, masks)
        self._agrees("region_features_unique_mean", vectors)

    def answer(self) -> None:
        """Masks of every level (of the early ones their means) and the last scores."""
        scores = self._ran.answered.scores[-1]
        *early, last = self._ran.answered.pred_masks
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
        """Masks at the picture's own size, and which of them is meant."""
        answered = self._ran.answered
        masks = resize_to_original(answered.pred_masks[-1][0], self.parity.canvas)
        scores = referring_scores(answered.scores[-1][0, :, 0], masks)
        self._agrees("post_scores", scores)
        self._agrees("post_masks", (masks > 0).to(torch.uint8))
        self._agrees("best_mask_token", scores.argmax().reshape(1))

    def losses(self) -> None:
        """Which query is matched to which true mask, and the last level's losses."""
        golden, answered = self.golden, self._ran.answered
        truth, sampling = golden["in/loss/targets"], DrawnPoints(golden)
        logits, wanted = sampling.for_matching(answered.pred_masks[-1][0], truth.float())
        mask, dice, label = (
            golden.config["loss"][f"{n}_weight"] for n in ("mask", "dice", "class")
        )
        queries, objects = match_masks(logits, wanted, None, (mask, dice, label))
        golden.agrees("loss/match_pred", queries)
        golden.agrees("loss/match_gt", objects)
        labels = [torch.zeros(len(truth), dtype=torch.long)]
        last = condition_losses(answered, [truth], labels, sampling, self.kind)[-1]
        for ours, theirs in _LOSSES.items():
            golden.agrees(f"loss/loss_{theirs}", last[ours].reshape(1))
