"""What HyperSeg learns of things in two frames: their boxes, and to look alike to itself.

Source: HyperSeg section 13. Queries are matched to the truth by their last masks, as for the masks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.hyperseg.collator import (
    ClipBatch,
    ClipCollator,
    HyperSegBatch,
    HyperSegCollator,
)
from vlseg_cli.models.hyperseg.modeling import HyperSeg, HyperSegFeatures
from vlseg_cli.models.hyperseg.prompts import hyperseg_prompts
from vlseg_cli.models.mask2former.collator import PromptBatch
from vlseg_cli.models.mask2former.modeling import LanguageOutput, MaskOutput, PrefixCache
from vlseg_cli.models.mask2former.training import MaskTrainable
from vlseg_cli.models.text_training import IMAGE_PLACEHOLDERS, TextBatch, TextCollator
from vlseg_cli.models.training import PromptLosses
from vlseg_cli.nn.auxiliary import mask_boxes
from vlseg_cli.nn.boxes import box_iou
from vlseg_cli.nn.hungarian_matcher import match_masks
from vlseg_cli.nn.losses import MaskSampling, next_token_loss
from vlseg_cli.nn.pixel_decoder import PixelFeatures
from vlseg_cli.nn.reid import InstanceEmbeddings, instance_contrast, simota_assign
from vlseg_cli.schema.sample import TextSample
from vlseg_cli.schema.tables import Formerly, NonNegative
from vlseg_cli.text.placeholders import Placeholder

_POSITIVES, _CANDIDATES = 10, 30


class ReidLosses(NamedTuple):
    """The things of one moment. Per clip: queries (M,) that show them, things (M,) their
    identities, boxes (M, 4) and labels (M,) the truth; class_logits (B, N, K)."""

    identified: InstanceEmbeddings
    class_logits: Tensor
    queries: list[Tensor]
    things: list[Tensor]
    boxes: list[Tensor]
    labels: list[Tensor]


def reid_losses(
    model: HyperSeg,
    answered: MaskOutput,
    prompts: PromptBatch,
    things: Sequence[Tensor],
    sampling: MaskSampling,
) -> ReidLosses:
    """Which queries show which things; stuff (identity -1) is left out."""
    logits, scores = answered.pred_masks[-1], answered.scores[-1]
    found = ReidLosses(model.instance_embeddings(answered), scores, [], [], [], [])
    for row, truth in enumerate(prompts.truth):
        labels, identity = prompts.labels[row], things[int(prompts.pictures[row])]
        predicted, wanted = sampling.for_matching(logits[row].detach(), truth)
        queries, objects = match_masks(
            predicted, wanted, -scores[row].detach().softmax(-1)[:, labels]
        )
        kept = identity[objects] >= 0
        queries, objects = queries[kept], objects[kept]
        found.queries.append(queries)
        found.things.append(identity[objects])
        found.boxes.append(mask_boxes(truth[objects]))
        found.labels.append(labels[objects])
    return found


def box_loss(found: ReidLosses) -> Tensor:
    """Mean absolute error and generalized IoU of the boxes of all things shown."""
    predicted = [found.identified.boxes[row, queries] for row, queries in enumerate(found.queries)]
    boxes, true = torch.cat(predicted).float(), torch.cat(found.boxes)
    if not len(true):
        return boxes.sum()
    _, giou = box_iou(boxes, true)
    return F.l1_loss(boxes, true) + (1 - giou.diagonal()).mean()


def contrast_losses(before: ReidLosses, now: ReidLosses) -> tuple[Tensor, Tensor]:
    """Things seen in both moments: the contrastive loss and its cosine companion, each a mean."""
    every, alike = [], []
    for row, known in enumerate(before.things):
        here = (known.unsqueeze(1) == now.things[row].unsqueeze(0)).nonzero()
        if not len(here):
            continue
        then, there = here.unbind(1)
        key = before.identified.embeddings[row, before.queries[row][then]].float()
        seen, boxes = now.identified.embeddings[row].float(), now.identified.boxes[row].float()
        truth, labels = now.boxes[row][there], now.labels[row][there]
        logits = now.class_logits[row]
        positive = simota_assign(boxes, logits, truth, labels, _POSITIVES)
        candidates = simota_assign(boxes, logits, truth, labels, _CANDIDATES)
        value = instance_contrast(key, seen, positive, candidates)
        every.append(value.contrast)
        alike.append(value.reid_aux)
    if not every:
        nothing = now.identified.embeddings.sum() * 0
        return nothing, nothing
    return torch.cat(every).mean(), torch.stack(alike).mean()


_UNSAID = -100  # a position whose next word is not learned


@dataclass(frozen=True, slots=True)
class HyperSegLosses(PromptLosses):
    """Beside those of masks and conditions; the defaults are the paper's.

    text: of words the model says itself, of entities and of answers. contrast, reid_aux: of things
    seen in two frames. instance_boxes: of the box head.
    """

    text: NonNegative = 1.0
    contrast: NonNegative = 1.0
    reid_aux: Annotated[NonNegative, Formerly("alike")] = 1.0
    instance_boxes: NonNegative = 1.0


class TrainableHyperSeg(MaskTrainable[HyperSeg]):
    """See ``Trainable``."""

    architecture = "hyperseg"
    weights: HyperSegLosses

    # The training loop's interface --------------------------------------------------------------

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimized."""
        return self._clip(batch) if isinstance(batch, ClipBatch) else super().forward(batch)

    def collator(self, size: int | None = None) -> HyperSegCollator:
        """What turns samples into a batch, free of weights. ``size``: side of Swin's input, px."""
        config = self.model.config
        return HyperSegCollator(
            hyperseg_prompts(self.tokenizer, config),
            size or config.image_size,
            self.sampling,
            self.names,
            config.regions_together,
            clip_size=config.clip_size,
            squashed=config.region_source == "tokens",
            entities=config.recognize_entities,
            talking=bool(self.weights.text),
        )

    def clip_collator(self, size: int | None = None) -> ClipCollator:
        """The same for moments of clips; words alone are learned from pictures."""
        return ClipCollator(replace(self.collator(size), video=True, talking=False))

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """The same for sentences without pictures."""
        prompts = hyperseg_prompts(self.tokenizer, self.model.config)
        return TextCollator(prompts.sentence, self.vocabulary)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Parts by name."""
        model = self.model
        return {
            "vision": [model.vision_tower],
            "clip_vision": [model.clip_tower],
            "connector": [model.connector],
            "perceiver": [model.perceiver],
            "language": [model.language.layers, model.language.final_layernorm],
            "vocabulary": [model.language.embed_tokens, model.lm_head],
            "pixel_decoder": [model.pixel_decoder],
            "mask_decoder": [model.mask_decoder],
            "instance_heads": [model.instance_heads],
        }

    # What differs from PSALM --------------------------------------------------------------------

    def encode_batch(self, batch: HyperSegBatch, carried: Tensor | None = None) -> HyperSegFeatures:
        """Step 1."""
        return self.model.encode_image(batch.pixel_values, batch.clip_values, carried)

    def noise(self, device: torch.device) -> HyperSegFeatures:
        """Pictures of nothing, with as many tokens as real ones have."""
        config, side = self.model.config, self.model.clip_tower.side
        width = config.language_channels
        tokens = torch.randn(IMAGE_PLACEHOLDERS, width, side, side, device=device) * 0.5
        fine = torch.randn(IMAGE_PLACEHOLDERS, config.fine_tokens, width, device=device) * 0.5
        empty = torch.zeros(IMAGE_PLACEHOLDERS, 0, device=device)
        return HyperSegFeatures((), PixelFeatures(empty, ()), tokens, fine)

    def prefix_of(self, seen: HyperSegFeatures, prompts: PromptBatch) -> PrefixCache:
        """Words, picture and fine-grained tokens."""
        return self.model.encode_prefix(seen, prompts.sequences[0])

    def tokens_end(self) -> int:
        """Fine-grained tokens follow the picture."""
        between = self.collator().prompts.regions(1).between or ()
        return self.model.config.fine_tokens + len(between)

    def regions_of(self, seen: HyperSegFeatures, prompts: PromptBatch) -> Tensor | None:
        """Region vectors, of the pictures in which they were drawn."""
        if prompts.regions is None:
            return None
        counts = torch.tensor([one.conditions for one in prompts.sequences])
        owner = prompts.pictures.repeat_interleave(counts.to(prompts.pictures.device))
        return self.model.embed_regions(seen, owner, prompts.regions)

    def losses_of(self, seen: Any, batch: Any, origin: Any = None) -> tuple[dict[str, Tensor], Any]:
        """Everything PSALM learns, and words."""
        losses, named = super().losses_of(seen, batch, origin)
        if batch.talks:
            read = self.model.run_language_model(seen, batch.talks, batch.talked)
            losses["text_answers"] = self.weights.text * self._text(read, batch.answers)
        return losses, named

    def read_names(
        self, seen: HyperSegFeatures, prompts: PromptBatch
    ) -> tuple[LanguageOutput, dict[str, Tensor]]:
        """Categories, and the names of those that are there, which the model says first."""
        read, losses = super().read_names(seen, prompts)
        if prompts.said:
            losses["text_entities"] = self.weights.text * self._text(read, prompts.said)
        return read, losses

    def _text(self, read: LanguageOutput, counts: Sequence[int]) -> Tensor:
        """Next-token loss of so many tokens before each row's mask tokens or end."""
        real = (read.ids == Placeholder.QUERIES).int()
        ends = [
            int(row.argmax()) if row.any() else int((ids != 0).nonzero()[-1]) + 1
            for row, ids in zip(real, read.ids, strict=True)
        ]
        labels = torch.full_like(read.ids, _UNSAID)
        for row, (end, count) in enumerate(zip(ends, counts, strict=True)):
            labels[row, end - count : end] = read.ids[row, end - count : end]
        return next_token_loss(self.model.lm_head(read.hidden), labels)

    # Clips --------------------------------------------------------------------------------------

    def _clip(self, batch: ClipBatch) -> dict[str, Tensor]:
        """The mean over the moments of everything, and what ties the moments together."""
        total: dict[str, Tensor] = {}
        seen: HyperSegFeatures | None = None
        known: ReidLosses | None = None
        carried: Tensor | None = None
        prompts = self.clip_collator().collator.prompts
        for frame, things in zip(batch.frames, batch.things, strict=True):
            before, seen = seen, self.encode_batch(frame, carried)
            losses, named = self.losses_of(seen, frame, before)
            if named is not None and frame.categories is not None:
                now = reid_losses(self.model, named, frame.categories, things, self.sampling)
                losses |= self._things(known, now)
                known = now
            for name, loss in losses.items():
                total[name] = total.get(name, loss.new_zeros(())) + loss / len(batch.frames)
            wording: Any = prompts
            carried = self.model.carry(seen, wording.regions(1, video=True))
        return total

    def _things(self, before: ReidLosses | None, now: ReidLosses) -> dict[str, Tensor]:
        losses = {"instance_boxes": self.weights.instance_boxes * box_loss(now)}
        if before is not None:
            contrast, alike = contrast_losses(before, now)
            losses["instance_contrast"] = self.weights.contrast * contrast
            losses["instance_reid_aux"] = self.weights.reid_aux * alike
        return losses
