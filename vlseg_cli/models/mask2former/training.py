"""What the three systems' trainables share, and the losses of PSALM's and HyperSeg's prompts.

Published weights learn by Hungarian matching for every task. A miniature learns sentences and
regions faster when mask token 0 always predicts (``assignment = "first"``); inference is the same.
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.checkpoint import load_initial_weights
from vlseg_cli.models.mask2former.collator import MaskBatch, PromptBatch
from vlseg_cli.models.mask2former.config import MaskModelConfig
from vlseg_cli.models.mask2former.criterion import (
    MatchedLevel,
    averaged_counts,
    category_losses,
    condition_losses,
)
from vlseg_cli.models.mask2former.modeling import LanguageOutput, MaskModel, MaskOutput
from vlseg_cli.models.text_training import TextBatch, TextHeads, sentence_end
from vlseg_cli.models.training import Trainable, groups_with_heads
from vlseg_cli.nn.auxiliary import BoxHead, DenseCategoryHead, LocalizationHead
from vlseg_cli.nn.boxes import mask_boxes
from vlseg_cli.nn.lora import inject_lora
from vlseg_cli.nn.losses import (
    DenseSampling,
    MaskSampling,
    PointSampling,
    PreparedMasks,
    dice_loss,
    mask_bce,
)
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.tokenizer import Tokenizer


class MaskTrainable(Trainable):
    """A model, its tokenizer and the auxiliary heads over ``names``; ``stuff`` flags each name."""

    network: ClassVar[type[nn.Module]]

    def __init__(
        self,
        config: MaskModelConfig,
        tokenizer: Tokenizer,
        vocabulary: TrainingVocabulary,
        losses: Any,
    ) -> None:
        """losses: the system's dataclass of a recipe's [losses]."""
        super().__init__()
        self.model, self.tokenizer = self.network(config), tokenizer
        self.vocabulary, self.weights = vocabulary, losses
        self.names, self.stuff = vocabulary.names, vocabulary.stuff
        self.dense_names = DenseCategoryHead(config.mask_channels, len(self.names))
        self.add_heads(config)
        self.words = TextHeads(config.language_channels, self.vocabulary)
        self.adapters: list[nn.Parameter] = []

    def add_heads(self, config: Any) -> None:
        """Auxiliary heads that only some systems have."""

    @abstractmethod
    def noise_features(self, device: torch.device) -> Any:
        """Random image features, for text without images."""

    @abstractmethod
    def parts(self) -> dict[str, list[nn.Module]]:
        """The model's own parts by name; what is in none of them is 'heads'."""

    @abstractmethod
    def losses_of_batch(self, batch: Any) -> dict[str, Tensor]:
        """Named, weighted losses of images with prompts."""

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is minimized."""
        if not isinstance(batch, TextBatch):
            return self.losses_of_batch(batch)
        features = self.noise_features(batch.category_shares.device)
        losses: dict[str, Tensor] = self.words(self.model, features, batch)
        return losses

    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """See ``Trainable``."""
        self.adapters = inject_lora(self.model.language, rank, alpha, dropout, targets)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one."""
        auxiliary = [head for name, head in self.named_children() if name != "model"]
        return groups_with_heads(self, {**self.parts(), "auxiliary": auxiliary}, self.adapters)

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """See ``Trainable``; of another system's folder the parts that both have are loaded."""
        return load_initial_weights(self.model, self.tokenizer, self.architecture, directory)

    @property
    def sampling(self) -> MaskSampling:
        """Points as the papers do, or every cell."""
        if self.weights.points:
            return PointSampling(self.weights.points)
        return DenseSampling(getattr(self.model.config, "mask_stride", 4))

    def dense_loss(self, features: Any, semantic: Tensor) -> dict[str, Tensor]:
        """The weighted loss of the category of each cell (B, h, w); none without a weight."""
        if not (weight := self.weights.dense_names):
            return {}
        return {"dense_names": weight * self.dense_names(features.pixels.mask_features, semantic)}

    def sentence_class_loss(self, output: Any, category_shares: Tensor) -> dict[str, Tensor]:
        """The weighted loss of each sentence's category (P, names); none without a weight."""
        if not (weight := self.weights.sentence_class):
            return {}
        return {
            "sentence_class": weight * self.words.class_loss(sentence_end(output), category_shares)
        }


class Mask2FormerTrainable(MaskTrainable):
    """PSALM's and HyperSeg's losses: prompts of three kinds through a Mask2Former decoder."""

    model: MaskModel

    def add_heads(self, config: Any) -> None:
        """See ``MaskTrainable``. Raises RecipeError for losses that the configuration excludes."""
        if self.weights.assignment == "first" and config.regions_together:
            raise RecipeError(
                '[losses] assignment = "first" predicts one region per prompt; set regions_together'
                " = false in [model.config]"
            )
        self.boxes = BoxHead(config.pixel_channels)
        self.pointing = LocalizationHead(config.language_channels)

    @abstractmethod
    def encode_batch(self, batch: Any) -> Any:
        """Step 1 for the images of a batch."""

    @abstractmethod
    def tokens_after_image(self) -> int:
        """How many tokens follow the image tokens in the prefix."""

    def losses_of_batch(self, batch: Any) -> dict[str, Tensor]:
        """See ``MaskTrainable``."""
        losses, _ = self.losses_of(self.encode_batch(batch), batch)
        return losses

    def losses_of(
        self, features: Any, batch: MaskBatch, origin: Any = None
    ) -> tuple[dict[str, Tensor], MaskOutput | None]:
        """The losses of all prompts of a batch, and the output of its category prompts.

        origin: features of the images in which regions are drawn, None for the same ones.
        """
        counts = averaged_counts(
            [_count_masks(p) for p in (batch.categories, batch.sentences, batch.regions)]
        )
        losses: dict[str, Tensor] = {}
        category_output: MaskOutput | None = None
        if batch.categories:
            category_output, own = self._categories(features, batch.categories, counts[0])
            losses |= own
        if batch.sentences:
            kind, shares = ConditionKind.SENTENCE, batch.category_shares
            losses |= self._conditions(features, batch.sentences, kind, counts[1], shares)
        if batch.regions:
            kind = ConditionKind.REGION
            embeddings = self._region_embeddings(origin or features, batch.regions)
            losses |= self._conditions(
                features, batch.regions, kind, counts[2], region_embeddings=embeddings
            )
        return losses | self.dense_loss(features, batch.semantic), category_output

    def run_category_prompts(
        self, features: Any, prompts: PromptBatch
    ) -> tuple[LanguageOutput, dict[str, Tensor]]:
        """Step 2 for categories, and the losses of that step alone."""
        output = self.model.run_language_model(features, prompts.sequences, prompts.image_index)
        return output, {}

    def _region_embeddings(self, features: Any, prompts: PromptBatch) -> Tensor | None:
        if prompts.regions is None:
            return None
        counts = torch.tensor([one.conditions for one in prompts.sequences])
        image_index = prompts.image_index.repeat_interleave(counts.to(prompts.image_index.device))
        pooled = self.model.region_features(features, image_index, prompts.regions)
        return self.model.embed_regions(pooled)

    def run_categories(
        self, features: Any, prompts: PromptBatch
    ) -> tuple[MaskOutput, dict[str, Tensor]]:
        """Steps 2 to 4 for categories, and the losses of step 2 alone."""
        kind = ConditionKind.CATEGORY
        language_output, losses = self.run_category_prompts(features, prompts)
        queries = self.model.build_queries(language_output, kind)
        return self.model.decode_masks(features, prompts.image_index, queries, kind), losses

    def _categories(
        self, features: Any, prompts: PromptBatch, count: float
    ) -> tuple[MaskOutput, dict[str, Tensor]]:
        mask_output, losses = self.run_categories(features, prompts)
        levels = category_losses(
            mask_output,
            prompts.truth,
            prompts.labels,
            PreparedMasks(self.sampling),
            self.weights.no_object_weight,
            count,
        )
        return mask_output, losses | self._weighted(levels, "categories")

    def _conditions(
        self,
        features: Any,
        prompts: PromptBatch,
        kind: ConditionKind,
        count: float,
        category_shares: Tensor | None = None,
        region_embeddings: Tensor | None = None,
    ) -> dict[str, Tensor]:
        language_output = self.model.run_language_model(
            features, prompts.sequences, prompts.image_index, region_embeddings
        )
        queries = self.model.build_queries(language_output, kind)
        mask_output = self.model.decode_masks(features, prompts.image_index, queries, kind)
        if self.weights.assignment == "hungarian":
            sampling = PreparedMasks(self.sampling)
            levels = condition_losses(
                mask_output, prompts.truth, prompts.labels, sampling, kind, count
            )
            losses = self._weighted(levels, f"{kind}s")
        else:
            losses = self._first_token_losses(mask_output, prompts, kind)
        if category_shares is not None:
            losses |= self.sentence_class_loss(language_output, category_shares)
        return losses | self._location_losses(features, prompts, language_output, mask_output, kind)

    def _first_token_losses(
        self, mask_output: MaskOutput, prompts: PromptBatch, kind: ConditionKind
    ) -> dict[str, Tensor]:
        """Mask token 0 is supervised with the union of true masks; the others learn no-object."""
        rows = _rows_with_masks(prompts)
        levels: list[MatchedLevel] = []
        for scores, pred_masks in zip(mask_output.scores, mask_output.pred_masks, strict=True):
            target = torch.zeros_like(scores[..., 0])
            target[rows, 0] = 1
            level: MatchedLevel = {kind: F.binary_cross_entropy_with_logits(scores[..., 0], target)}
            if len(rows):
                logits, values = self.sampling.for_loss(pred_masks[rows, 0], _unions(prompts))
                level["mask"] = mask_bce(logits, values, len(rows))
                level["dice"] = dice_loss(logits, values, len(rows))
            levels.append(level)
        return self._weighted(levels, f"{kind}s")

    def _location_losses(
        self,
        features: Any,
        prompts: PromptBatch,
        language_output: LanguageOutput,
        mask_output: MaskOutput,
        kind: ConditionKind,
    ) -> dict[str, Tensor]:
        """Auxiliary losses of prompts with a true mask: its box, and its image tokens."""
        rows = _rows_with_masks(prompts)
        losses: dict[str, Tensor] = {}
        if not len(rows):
            return losses
        truth = _unions(prompts)
        if self.weights.boxes:
            boxes = mask_boxes(truth)
            each = [self.boxes(z[rows, 0], boxes) for z in mask_output.hidden[1:]]
            losses[f"{kind}s_boxes"] = self.weights.boxes * torch.stack(each).sum()
        if self.weights.pointing:
            prefix = self.model.encode_prefix(features, prompts.sequences[0]).hidden
            h, w = features.tokens.shape[-2:]
            cells = F.adaptive_avg_pool2d(truth, (h, w)).flatten(1)
            last = prefix.shape[1] - self.tokens_after_image()
            image_tokens = prefix[:, last - h * w : last][prompts.image_index[rows]]
            first = (language_output.ids == Placeholder.QUERIES).int().argmax(1)[rows]
            value = self.pointing(language_output.hidden[rows, first], image_tokens, cells)
            losses[f"{kind}s_pointing"] = self.weights.pointing * value
        return losses

    def _weighted(self, levels: Sequence[MatchedLevel], prefix: str) -> dict[str, Tensor]:
        """Sum each loss over the decoder's levels and weight it."""
        return {
            f"{prefix}_{name}": getattr(self.weights, name)
            * torch.stack([level[name] for level in levels]).sum()
            for name in levels[0]
        }


def _count_masks(prompts: PromptBatch | None) -> int:
    return sum(len(mask) for mask in prompts.truth) if prompts else 0


def _rows_with_masks(prompts: PromptBatch) -> Tensor:
    """(M,): the prompts that have a true mask."""
    present = torch.tensor([len(mask) > 0 for mask in prompts.truth])
    return present.nonzero()[:, 0].to(prompts.image_index.device)


def _unions(prompts: PromptBatch) -> Tensor:
    """(M, h, w): the union of the true masks of each prompt that has one."""
    return torch.stack([mask.amax(0) for mask in prompts.truth if len(mask)])
