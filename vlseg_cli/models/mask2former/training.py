"""Learning to answer prompts, for PSALM and HyperSeg: a batch goes in, weighted losses come out.

Published weights learn by Hungarian matching for every task. A miniature learns sentences and
regions faster when mask token 0 always answers (``assignment = "first"``); inference is the same.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.checkpoint import load_initial_weights
from vlseg_cli.models.mask2former.collator import MaskBatch, PromptBatch
from vlseg_cli.models.mask2former.criterion import (
    MatchedLevel,
    averaged_counts,
    category_losses,
    condition_losses,
)
from vlseg_cli.models.mask2former.modeling import LanguageOutput, MaskModel, MaskOutput, PrefixCache
from vlseg_cli.models.text_training import TextBatch, TextHeads, sentence_end
from vlseg_cli.models.training import PromptLosses, Trainable, dense_only, groups_with_heads
from vlseg_cli.nn.auxiliary import BoxHead, DenseCategoryHead, LocalizationHead, mask_boxes
from vlseg_cli.nn.lora import inject_lora, merged_state_dict
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
from vlseg_cli.weights.folder import save_folder

M = TypeVar("M", bound=MaskModel)


class MaskTrainable(Trainable, Generic[M]):
    """A model, its tokenizer and the auxiliary heads over ``names``; ``stuff`` flags each name."""

    architecture: str

    def __init__(
        self,
        model: M,
        tokenizer: Tokenizer,
        vocabulary: TrainingVocabulary,
        losses: PromptLosses,
    ) -> None:
        super().__init__()
        self.model: M = model
        self.tokenizer, config = tokenizer, model.config
        self.vocabulary = vocabulary
        self.names, self.stuff = vocabulary.names, vocabulary.stuff
        self.weights = losses
        if self.weights.assignment == "first" and config.regions_together:
            raise RecipeError(
                '[losses] assignment = "first" answers one region per prompt; set regions_together'
                " = false in [model.config]"
            )
        self.dense_names = DenseCategoryHead(config.mask_channels, len(self.names))
        self.boxes = BoxHead(config.pixel_channels)
        self.pointing = LocalizationHead(config.language_channels)
        self.words = TextHeads(config.language_channels, self.vocabulary)
        self.adapters: list[nn.Parameter] = []

    # What differs between the systems -----------------------------------------------------------

    @abstractmethod
    def encode_batch(self, batch: Any) -> Any:
        """Step 1 for the pictures of a batch."""

    @abstractmethod
    def noise(self, device: torch.device) -> Any:
        """What pictures of nothing look like, to learn words before."""

    @abstractmethod
    def prefix_of(self, seen: Any, prompts: PromptBatch) -> PrefixCache:
        """What was read of the pictures, to be asked where something is."""

    @abstractmethod
    def tokens_end(self) -> int:
        """How many tokens follow the image tokens in that prefix."""

    def regions_of(self, seen: Any, prompts: PromptBatch) -> Tensor | None:  # noqa: ARG002
        """What ``model.read`` takes for the regions of prompts."""
        return prompts.regions

    # The training loop's interface -------------------------------------------------------------

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimized."""
        if isinstance(batch, TextBatch):
            seen = self.noise(batch.meant.device)
            read: dict[str, Tensor] = self.words(self.model, seen, batch)
            return read
        losses, _ = self.losses_of(self.encode_batch(batch), batch)
        return losses

    def losses_of(
        self, seen: Any, batch: MaskBatch, origin: Any = None
    ) -> tuple[dict[str, Tensor], MaskOutput | None]:
        """Of everything that was asked about the pictures of a batch; the answers to categories.

        origin: what was seen of the pictures in which regions are drawn, None for the same ones.
        """
        counts = averaged_counts(
            [_masks(p) for p in (batch.categories, batch.sentences, batch.regions)]
        )
        losses: dict[str, Tensor] = {}
        named: MaskOutput | None = None
        if batch.categories:
            named, taught = self._categories(seen, batch.categories, counts[0])
            losses |= taught
        if batch.sentences:
            kind = ConditionKind.SENTENCE
            losses |= self._conditions(seen, batch.sentences, kind, counts[1], batch.meant)
        if batch.regions:
            kind, vectors = ConditionKind.REGION, self.regions_of(origin or seen, batch.regions)
            losses |= self._conditions(seen, batch.regions, kind, counts[2], regions=vectors)
        if self.weights.dense_names:
            dense = self.dense_names(seen.pixels.mask_features, batch.semantic)
            losses["dense_names"] = self.weights.dense_names * dense
        return losses, named

    def dense_collator(self, size: int | None = None) -> Any:
        """The same, see ``dense_only``."""
        return dense_only(self.collator(size), self.weights.dense_names)

    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """See ``Trainable``."""
        self.adapters = inject_lora(self.model.language, rank, alpha, dropout, targets)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one."""
        auxiliary: list[nn.Module] = [self.dense_names, self.boxes, self.pointing, self.words]
        parts = {**self.parts(), "auxiliary": auxiliary}
        return groups_with_heads(self, parts, self.adapters)

    @abstractmethod
    def parts(self) -> dict[str, list[nn.Module]]:
        """The model's own parts by name; what is in none of them is 'heads'."""

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """See ``Trainable``; of another system's folder the parts that both have are taken."""
        return load_initial_weights(self.model, self.tokenizer, self.architecture, directory)

    def save(self, directory: Path, card: str) -> None:
        """Write config.json, tokenizer.json, model.safetensors (fp16) and README.md."""
        settings = {
            "architecture": self.architecture,
            "config": asdict(self.model.config),
            "categories": {"names": self.names, "stuff": self.stuff},
        }
        save_folder(directory, merged_state_dict(self.model), settings, self.tokenizer.save, card)

    # Losses ------------------------------------------------------------------------------------

    @property
    def sampling(self) -> MaskSampling:
        """Points as the papers do, or every cell."""
        return PointSampling(self.weights.points) if self.weights.points else DenseSampling()

    def read_names(
        self, seen: Any, prompts: PromptBatch
    ) -> tuple[LanguageOutput, dict[str, Tensor]]:
        """Step 2 for categories, and what is learned from it alone."""
        return self.model.run_language_model(seen, prompts.sequences, prompts.pictures), {}

    def _categories(
        self, seen: Any, prompts: PromptBatch, count: float
    ) -> tuple[MaskOutput, dict[str, Tensor]]:
        kind = ConditionKind.CATEGORY
        read, losses = self.read_names(seen, prompts)
        answered = self.model.decode_masks(
            seen, prompts.pictures, self.model.build_queries(read, kind), kind
        )
        levels = category_losses(
            answered,
            prompts.truth,
            prompts.labels,
            PreparedMasks(self.sampling),
            self.weights.no_object_weight,
            count,
        )
        return answered, losses | self._weighted(levels, "categories")

    def _conditions(
        self,
        seen: Any,
        prompts: PromptBatch,
        kind: ConditionKind,
        count: float,
        meant: Tensor | None = None,
        regions: Tensor | None = None,
    ) -> dict[str, Tensor]:
        read = self.model.run_language_model(seen, prompts.sequences, prompts.pictures, regions)
        asked = self.model.build_queries(read, kind)
        answered = self.model.decode_masks(seen, prompts.pictures, asked, kind)
        if self.weights.assignment == "hungarian":
            levels = condition_losses(
                answered, prompts.truth, prompts.labels, PreparedMasks(self.sampling), kind, count
            )
            losses = self._weighted(levels, f"{kind}s")
        else:
            losses = self._first_answers(answered, prompts, kind)
        if meant is not None and self.weights.sentence_class:
            value = self.words.meant(sentence_end(read), meant)
            losses["sentence_class"] = self.weights.sentence_class * value
        return losses | self._where(seen, prompts, read, answered, kind)

    def _first_answers(
        self, answered: MaskOutput, prompts: PromptBatch, kind: ConditionKind
    ) -> dict[str, Tensor]:
        """Mask token 0 owes the whole answer; the others learn not to claim it."""
        rows = _answerable(prompts)
        levels: list[MatchedLevel] = []
        for scores, pred_masks in zip(answered.scores, answered.pred_masks, strict=True):
            target = torch.zeros_like(scores[..., 0])
            target[rows, 0] = 1
            level: MatchedLevel = {kind: F.binary_cross_entropy_with_logits(scores[..., 0], target)}
            if len(rows):
                logits, values = self.sampling.for_loss(pred_masks[rows, 0], _answers(prompts))
                level["mask"] = mask_bce(logits, values, len(rows))
                level["dice"] = dice_loss(logits, values, len(rows))
            levels.append(level)
        return self._weighted(levels, f"{kind}s")

    def _where(
        self,
        seen: Any,
        prompts: PromptBatch,
        read: LanguageOutput,
        answered: MaskOutput,
        kind: ConditionKind,
    ) -> dict[str, Tensor]:
        """Auxiliary questions of place, asked of prompts that have an answer."""
        rows = _answerable(prompts)
        losses: dict[str, Tensor] = {}
        if not len(rows):
            return losses
        wanted = _answers(prompts)
        if self.weights.boxes:
            boxes = mask_boxes(wanted)
            each = [self.boxes(z[rows, 0], boxes) for z in answered.hidden[1:]]
            losses[f"{kind}s_boxes"] = self.weights.boxes * torch.stack(each).sum()
        if self.weights.pointing:
            prefix = self.prefix_of(seen, prompts).hidden
            h, w = seen.tokens.shape[-2:]
            cells = F.adaptive_avg_pool2d(wanted, (h, w)).flatten(1)
            last = prefix.shape[1] - self.tokens_end()
            image_tokens = prefix[:, last - h * w : last][prompts.pictures[rows]]
            first = (read.ids == Placeholder.QUERIES).int().argmax(1)[rows]
            value = self.pointing(read.hidden[rows, first], image_tokens, cells)
            losses[f"{kind}s_pointing"] = self.weights.pointing * value
        return losses

    def _weighted(self, levels: Sequence[MatchedLevel], prefix: str) -> dict[str, Tensor]:
        """Sum each loss over the decoder's levels and weigh it."""
        names = levels[0]
        return {
            f"{prefix}_{name}": getattr(self.weights, name)
            * torch.stack([level[name] for level in levels]).sum()
            for name in names
        }


def _masks(prompts: PromptBatch | None) -> int:
    """Number of true masks of all prompts of a kind."""
    return sum(len(mask) for mask in prompts.truth) if prompts else 0


def _answerable(prompts: PromptBatch) -> Tensor:
    """(M,): the prompts that have an answer."""
    present = torch.tensor([len(mask) > 0 for mask in prompts.truth])
    return present.nonzero()[:, 0].to(prompts.pictures.device)


def _answers(prompts: PromptBatch) -> Tensor:
    """(M, h, w): the truth of the prompts that have one, each one mask."""
    return torch.stack([mask.amax(0) for mask in prompts.truth if len(mask)])
