"""HyperSeg's training: PSALM's losses, next-token losses, and what ties frames together.

Objects in two frames are supervised with their boxes and with a contrast of their embeddings
(HyperSeg section 13); queries are matched to the truth by their last masks, as for the masks.
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
from vlseg_cli.models.mask2former.modeling import LanguageOutput, MaskOutput
from vlseg_cli.models.mask2former.training import Mask2FormerTrainable
from vlseg_cli.models.text_training import IMAGE_PLACEHOLDERS, TextBatch, TextCollator
from vlseg_cli.models.training import PromptLosses
from vlseg_cli.nn.boxes import box_iou, mask_boxes
from vlseg_cli.nn.hungarian_matcher import match_masks
from vlseg_cli.nn.losses import MaskSampling, next_token_loss
from vlseg_cli.nn.pixel_decoder import PixelFeatures
from vlseg_cli.nn.reid import InstanceEmbeddings, instance_contrast, simota_assign
from vlseg_cli.schema.sample import TextSample
from vlseg_cli.schema.tables import Formerly, NonNegative
from vlseg_cli.text.placeholders import Placeholder

_POSITIVES, _CANDIDATES = 10, 30  # of ``simota_assign``
_IGNORED = -100  # label of a position without next-token loss


@dataclass(frozen=True, slots=True)
class HyperSegLosses(PromptLosses):
    """Beside those of masks and conditions; the defaults are the paper's.

    text: next tokens of entities and of answers. contrast, reid_aux: of objects in two frames.
    instance_boxes: of the box head.
    """

    text: NonNegative = 1.0
    contrast: NonNegative = 1.0
    reid_aux: Annotated[NonNegative, Formerly("alike")] = 1.0
    instance_boxes: NonNegative = 1.0


class TrainableHyperSeg(Mask2FormerTrainable):
    """See ``Trainable``."""

    architecture = "hyperseg"
    network = HyperSeg
    model: HyperSeg
    weights: HyperSegLosses

    def losses_of_batch(self, batch: Any) -> dict[str, Tensor]:
        """See ``MaskTrainable``; of frames of clips, too."""
        if isinstance(batch, ClipBatch):
            return self._clip_losses(batch)
        return super().losses_of_batch(batch)

    def collator(self, size: int | None = None) -> HyperSegCollator:
        """See ``Trainable``; size: side of Swin's input."""
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
            chat=bool(self.weights.text),
        )

    def clip_collator(self, size: int | None = None) -> ClipCollator:
        """See ``Trainable``; conversations are learned from images alone."""
        return ClipCollator(replace(self.collator(size), video=True, chat=False))

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """See ``Trainable``."""
        prompts = hyperseg_prompts(self.tokenizer, self.model.config)
        return TextCollator(prompts.sentence, self.vocabulary)

    def parts(self) -> dict[str, list[nn.Module]]:
        """See ``MaskTrainable``."""
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

    def encode_batch(self, batch: HyperSegBatch, carried: Tensor | None = None) -> HyperSegFeatures:
        """Step 1."""
        return self.model.encode_image(batch.pixel_values, batch.clip_values, carried)

    def noise_features(self, device: torch.device) -> HyperSegFeatures:
        """See ``MaskTrainable``; as many tokens as images have."""
        config, side = self.model.config, self.model.clip_tower.side
        width = config.language_channels
        tokens = torch.randn(IMAGE_PLACEHOLDERS, width, side, side, device=device) * 0.5
        fine = torch.randn(IMAGE_PLACEHOLDERS, config.fine_tokens, width, device=device) * 0.5
        empty = torch.zeros(IMAGE_PLACEHOLDERS, 0, device=device)
        return HyperSegFeatures((), PixelFeatures(empty, ()), tokens, fine=fine)

    def tokens_after_image(self) -> int:
        """Text and fine-grained tokens."""
        between = self.collator().prompts.regions(1).between or ()
        return self.model.config.fine_tokens + len(between)

    def losses_of(
        self, features: Any, batch: Any, origin: Any = None
    ) -> tuple[dict[str, Tensor], MaskOutput | None]:
        """PSALM's, and the next tokens of answers."""
        losses, category_output = super().losses_of(features, batch, origin)
        if batch.conversations:
            output = self.model.run_language_model(
                features, batch.conversations, batch.conversation_index
            )
            value = self._next_token_loss(output, batch.answer_lengths)
            losses["text_answers"] = self.weights.text * value
        return losses, category_output

    def run_category_prompts(
        self, features: HyperSegFeatures, prompts: PromptBatch
    ) -> tuple[LanguageOutput, dict[str, Tensor]]:
        """Categories, and the next tokens of the names of those that are present."""
        output, losses = super().run_category_prompts(features, prompts)
        if prompts.generated:
            value = self._next_token_loss(output, prompts.generated)
            losses["text_entities"] = self.weights.text * value
        return output, losses

    def _next_token_loss(self, output: LanguageOutput, counts: Sequence[int]) -> Tensor:
        """Of so many tokens before each row's mask tokens or end."""
        is_mask_token = (output.ids == Placeholder.QUERIES).int()
        ends = [
            int(row.argmax()) if row.any() else int((ids != 0).nonzero()[-1]) + 1
            for row, ids in zip(is_mask_token, output.ids, strict=True)
        ]
        labels = torch.full_like(output.ids, _IGNORED)
        for row, (end, count) in enumerate(zip(ends, counts, strict=True)):
            labels[row, end - count : end] = output.ids[row, end - count : end]
        return next_token_loss(self.model.lm_head(output.hidden), labels)

    # Clips --------------------------------------------------------------------------------------

    def _clip_losses(self, batch: ClipBatch) -> dict[str, Tensor]:
        """The mean over the frames of all losses, and those between two frames."""
        total: dict[str, Tensor] = {}
        features: HyperSegFeatures | None = None
        known: FrameInstances | None = None
        carried: Tensor | None = None
        prompts: Any = self.clip_collator().collator.prompts
        for frame, identities in zip(batch.frames, batch.identities, strict=True):
            before, features = features, self.encode_batch(frame, carried)
            losses, output = self.losses_of(features, frame, before)
            if output is not None and frame.categories is not None:
                now = match_instances(
                    self.model, output, frame.categories, identities, self.sampling
                )
                losses |= self._instance_losses(known, now)
                known = now
            for name, loss in losses.items():
                total[name] = total.get(name, loss.new_zeros(())) + loss / len(batch.frames)
            carried = self.model.carry(features, prompts.regions(1, video=True))
        return total

    def _instance_losses(
        self, before: "FrameInstances | None", now: "FrameInstances"
    ) -> dict[str, Tensor]:
        losses = {"instance_boxes": self.weights.instance_boxes * box_loss(now)}
        if before is not None:
            contrast, auxiliary = contrast_losses(before, now)
            losses["instance_contrast"] = self.weights.contrast * contrast
            losses["instance_reid_aux"] = self.weights.reid_aux * auxiliary
        return losses


class FrameInstances(NamedTuple):
    """The objects of one frame. Per clip: queries (M,) that were matched, identities (M,), boxes
    (M, 4) and labels (M,) of the truth; class_logits (B, N, K)."""

    predicted: InstanceEmbeddings
    class_logits: Tensor
    queries: list[Tensor]
    identities: list[Tensor]
    boxes: list[Tensor]
    labels: list[Tensor]


def match_instances(
    model: HyperSeg,
    output: MaskOutput,
    prompts: PromptBatch,
    identities: Sequence[Tensor],
    sampling: MaskSampling,
) -> FrameInstances:
    """Match queries to true objects; stuff (identity -1) is left out."""
    logits, scores = output.pred_masks[-1], output.scores[-1]
    found = FrameInstances(model.instance_embeddings(output), scores, [], [], [], [])
    for row, truth in enumerate(prompts.truth):
        labels, identity = prompts.labels[row], identities[int(prompts.image_index[row])]
        predicted, wanted = sampling.for_matching(logits[row].detach(), truth)
        cost = -scores[row].detach().softmax(-1)[:, labels]
        queries, objects = match_masks(predicted, wanted, cost)
        kept = identity[objects] >= 0
        queries, objects = queries[kept], objects[kept]
        found.queries.append(queries)
        found.identities.append(identity[objects])
        found.boxes.append(mask_boxes(truth[objects]))
        found.labels.append(labels[objects])
    return found


def box_loss(found: FrameInstances) -> Tensor:
    """Mean absolute error and generalized IoU loss of the boxes of all matched objects."""
    predicted = [found.predicted.boxes[row, queries] for row, queries in enumerate(found.queries)]
    boxes, true = torch.cat(predicted).float(), torch.cat(found.boxes)
    if not len(true):
        return boxes.sum()
    _, giou = box_iou(boxes, true)
    return F.l1_loss(boxes, true) + (1 - giou.diagonal()).mean()


def contrast_losses(before: FrameInstances, now: FrameInstances) -> tuple[Tensor, Tensor]:
    """Objects in both frames: the contrastive and the auxiliary cosine loss, each a mean."""
    contrast, auxiliary = [], []
    for row, known in enumerate(before.identities):
        pairs = (known.unsqueeze(1) == now.identities[row].unsqueeze(0)).nonzero()
        if not len(pairs):
            continue
        then, there = pairs.unbind(1)
        key = before.predicted.embeddings[row, before.queries[row][then]].float()
        embeddings = now.predicted.embeddings[row].float()
        boxes, logits = now.predicted.boxes[row].float(), now.class_logits[row]
        truth, labels = now.boxes[row][there], now.labels[row][there]
        positive = simota_assign(boxes, logits, truth, labels, _POSITIVES)
        candidates = simota_assign(boxes, logits, truth, labels, _CANDIDATES)
        value = instance_contrast(key, embeddings, positive, candidates)
        contrast.append(value.contrast)
        auxiliary.append(value.reid_aux)
    if not contrast:
        zero = now.predicted.embeddings.sum() * 0
        return zero, zero
    return torch.cat(contrast).mean(), torch.stack(auxiliary).mean()
