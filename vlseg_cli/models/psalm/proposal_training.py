"""Training a PSALM whose proposals come first: they are learned with the category prompts alone,
sentences and regions choose among them.

``FactBatch`` trains the choice without images, from the categories, colors and boxes of a scene:
many more sentences per second than with images. Proposals of images learn to have the appearance
that the same category has there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.mask2former.collator import MaskBatch, PromptBatch
from vlseg_cli.models.mask2former.modeling import MaskOutput
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.modeling import ImageProposals
from vlseg_cli.models.psalm.prompts import PSALMPrompts, psalm_prompts
from vlseg_cli.models.psalm.training import TrainablePSALM
from vlseg_cli.models.text_training import IMAGE_PLACEHOLDERS
from vlseg_cli.models.training import TensorBatch, seeded_rng
from vlseg_cli.nn.losses import pool_to
from vlseg_cli.schema.sample import FactSample, TrainingVocabulary
from vlseg_cli.text.placeholders import ConditionKind

_INSIDE, _OUTSIDE = 0.6, 0.3  # share of a proposal within the truth: meant, not meant
_CLEAR = 0.7  # share of a proposal that a category must fill
_SPURIOUS = 8  # random proposals of no object per scene of facts
_JITTER = 0.05  # of boxes, fraction of their longer side
_FILL = 0.7  # of a box by a random proposal
_BLEND = 0.3  # of another category's appearance, at most
_SHARPNESS = 12.0  # of cosines as logits


@dataclass(frozen=True, slots=True)
class FactBatch(TensorBatch):
    """B scenes of at most M objects, and P sentences about them.

    category, color (B, M): indices, the last ones for no object and no color. boxes (B, M, 4) as
    cx, cy, w, h; areas (B, M): 0 for padding. meant (P, M): 1 for the targets.
    """

    sequences: list[Any]
    image_index: Tensor
    category: Tensor
    color: Tensor
    boxes: Tensor
    areas: Tensor
    meant: Tensor


@dataclass
class FactCollator:
    """Callable on fact samples; picklable."""

    prompts: PSALMPrompts
    vocabulary: TrainingVocabulary

    def __call__(self, samples: Sequence[FactSample]) -> FactBatch:
        names, colors = self.vocabulary.names, self.vocabulary.colors
        most = max(len(sample.names) for sample in samples) + _SPURIOUS
        category = torch.full((len(samples), most), len(names))
        color = torch.full((len(samples), most), len(colors))
        boxes, areas = torch.zeros(len(samples), most, 4), torch.zeros(len(samples), most)
        for row, sample in enumerate(samples):
            count, every = len(sample.names), len(sample.names) + _SPURIOUS
            category[row, :count] = torch.tensor([names.index(name) for name in sample.names])
            color[row, :count] = torch.tensor(
                [len(colors) if one is None else colors.index(one) for one in sample.colors]
            )
            boxes[row, :every], areas[row, :every] = _observed(sample)
        sentences = [(i, text, meant) for i, s in enumerate(samples) for text, meant in s.sentences]
        meant = torch.zeros(len(sentences), most)
        for row, (_, _, targets) in enumerate(sentences):
            meant[row, : len(targets)] = torch.from_numpy(targets).float()
        return FactBatch(
            [self.prompts.sentence(text) for _, text, _ in sentences],
            torch.tensor([i for i, _, _ in sentences]),
            category,
            color,
            boxes,
            areas,
            meant,
        )


def _observed(sample: FactSample) -> tuple[Tensor, Tensor]:
    """Boxes and areas as a model would find them: a little off, and some of no object."""
    rng = seeded_rng(str(sample.areas.sum()), *sample.names)
    spurious = rng.uniform(0, 1, (_SPURIOUS, 4)) * (1, 1, 0.4, 0.4)
    boxes = np.concatenate([sample.boxes, spurious])
    error = rng.normal(0, _JITTER, boxes.shape) * boxes[:, 2:].max(1, keepdims=True)
    areas = np.concatenate([sample.areas, spurious[:, 2:].prod(1) * _FILL])
    boxes = np.clip(boxes + error, 0, 1)
    return torch.from_numpy(boxes).float(), torch.from_numpy(areas).float()


class AppearanceTable(nn.Module):
    """What the selector takes for the appearance of a category in a color."""

    def __init__(self, channels: int, names: int, colors: int) -> None:
        super().__init__()
        self.names = nn.Embedding(names + 1, channels)  # the last one: any texture
        self.colors = nn.Embedding(colors + 1, channels)  # the last one: no color

    def forward(self, category: Tensor, color: Tensor, norm: nn.Module) -> Tensor:
        """Indices (B, M) -> appearance (B, M, D); in training some of it is another category's."""
        names = self.names(category)
        if self.training:
            other = self.names(torch.randint_like(category, len(self.names.weight)))
            names = torch.lerp(names, other, _BLEND * torch.rand_like(names[..., :1]) ** 3)
        output: Tensor = norm(names + self.colors(color))
        return output

    def category_loss(self, appearance: Tensor, category: Tensor, norm: nn.Module) -> Tensor:
        """Appearance (M, D) of proposals with these categories (M,): cross entropy of the cosines
        to each category's, in whatever color it is nearest."""
        table = norm(self.names.weight.unsqueeze(1) + self.colors.weight)
        flat = F.normalize(table, dim=-1).flatten(0, 1)
        cosine = F.normalize(appearance, dim=-1) @ flat.T
        logits = (_SHARPNESS * cosine).view(-1, *table.shape[:2]).logsumexp(-1)
        return F.cross_entropy(logits, category, reduction="sum") / max(len(category), 1)


class TrainableProposalPSALM(TrainablePSALM):
    """See ``Trainable``; of a model with ``proposals_first``."""

    def add_heads(self, config: Any) -> None:
        """See ``MaskTrainable``."""
        self.table = AppearanceTable(
            config.selection_channels, len(self.names), len(self.vocabulary.colors)
        )

    def parts(self) -> dict[str, list[nn.Module]]:
        """See ``MaskTrainable``."""
        return {
            **super().parts(),
            "selector": [self.model.selector],
        }

    def fact_collator(self) -> Callable[[Sequence[FactSample]], FactBatch]:
        """See ``Trainable``."""
        return FactCollator(psalm_prompts(self.tokenizer, self.model.config), self.vocabulary)

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """See ``Trainable``."""
        return self._fact_losses(batch) if isinstance(batch, FactBatch) else super().forward(batch)

    def _fact_losses(self, batch: FactBatch) -> dict[str, Tensor]:
        device = batch.meant.device
        placeholder = torch.arange(len(batch.sequences), device=device) % IMAGE_PLACEHOLDERS
        output = self.model.run_language_model(
            self.noise_features(device), batch.sequences, placeholder
        )
        selector = self.model.selector
        appearance = self.table(batch.category, batch.color, selector.appearance_norm)
        described = selector.describe(appearance, batch.boxes, batch.areas)
        logits = selector(described, batch.image_index, output.hidden, output.condition == 0)
        real = batch.areas[batch.image_index] > 0
        loss = F.binary_cross_entropy_with_logits(logits.float(), batch.meant, reduction="none")
        return {"facts": (loss * real).sum() / len(logits)}

    def run_categories(
        self, features: Any, prompts: PromptBatch
    ) -> tuple[MaskOutput, dict[str, Tensor]]:
        """See ``Mask2FormerTrainable``."""
        output = self.model.run_language_model(features, prompts.sequences, prompts.image_index)
        proposals = self.model.propose(features, prompts.sequences[0])
        decoded = proposals.decoded
        scores = self.model.score_names(proposals, output, prompts.image_index)
        mask_output = MaskOutput(
            scores,
            tuple(masks[prompts.image_index] for masks in decoded.pred_masks),
            tuple(hidden[prompts.image_index] for hidden in decoded.hidden),
            decoded.content[prompts.image_index],
        )
        return mask_output, {}

    def losses_of(
        self, features: Any, batch: MaskBatch, origin: Any = None
    ) -> tuple[dict[str, Tensor], MaskOutput | None]:
        """See ``MaskTrainable``; and what proposals look like to the selector."""
        losses, output = super().losses_of(features, batch, origin)
        if self.weights.appearance and features.proposals is not None:
            category, known = categories_within(features.proposals, batch.semantic, len(self.names))
            appearance = features.proposals.appearance[known]
            value = self.table.category_loss(
                appearance, category[known], self.model.selector.appearance_norm
            )
            losses["appearance"] = self.weights.appearance * value
        return losses, output

    def _conditions(
        self,
        features: Any,
        prompts: PromptBatch,
        kind: ConditionKind,
        count: float,  # noqa: ARG002
        category_shares: Tensor | None = None,
        region_embeddings: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Which proposals a sentence or region means: those that lie in its truth."""
        output = self.model.run_language_model(
            features, prompts.sequences, prompts.image_index, region_embeddings
        )
        proposals = self.model.propose(features, prompts.sequences[0])
        logits = self.model.select(proposals, output, prompts.image_index)
        share, real = share_within(proposals, prompts)
        target = (share > _INSIDE).float()
        weight = ((share > _INSIDE) | (share < _OUTSIDE)) & real
        each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
        losses = {f"{kind}s": getattr(self.weights, kind) * (each * weight).sum() / len(logits)}
        if category_shares is not None:
            losses |= self.sentence_class_loss(output, category_shares)
        return losses


def trainable_psalm(config: PSALMConfig, *arguments: Any) -> TrainablePSALM:
    """The trainable of a configuration; arguments: see ``MaskTrainable``."""
    kind = TrainableProposalPSALM if config.proposals_first else TrainablePSALM
    return kind(config, *arguments)


@torch.no_grad()
def share_within(proposals: ImageProposals, prompts: PromptBatch) -> tuple[Tensor, Tensor]:
    """How much of each proposal lies within the true masks of each prompt: (P, N) in [0, 1], and
    which proposals have a mask at all (P, N) bool."""
    coarse = proposals.coarse_masks
    size, inside = coarse.shape[-2:], (coarse > 0).float().flatten(2)
    truth = torch.stack(
        [
            pool_to(masks, size).amax(0) if len(masks) else coarse.new_zeros(size)
            for masks in prompts.truth
        ]
    ).flatten(1)
    area = inside.sum(2)
    shares = torch.zeros(len(truth), inside.shape[1], device=inside.device)
    for image in set(prompts.image_index.tolist()):
        rows = prompts.image_index == image
        shares[rows] = truth[rows] @ inside[image].T / area[image].clamp(min=1e-6)
    return shares, area[prompts.image_index] > 0


@torch.no_grad()
def categories_within(
    proposals: ImageProposals, semantic: Tensor, names: int
) -> tuple[Tensor, Tensor]:
    """The category that fills most of each proposal (B, N), and for which it is clear (B, N) bool.

    semantic (B, h, w): category of each cell of stride 4, -1 where unknown.
    """
    inside = (proposals.coarse_masks > 0).float().flatten(2)
    cells = F.one_hot(semantic.flatten(1) + 1, names + 1)[..., 1:].to(inside.dtype)
    shares = inside @ cells / inside.sum(2, keepdim=True).clamp(min=1)
    share, category = shares.max(-1)
    return category, share > _CLEAR
