"""PSALM as the training loop sees it: a batch goes in, weighted losses come out.

Published weights learn by Hungarian matching for every task. A miniature learns sentences and
regions faster when mask token 0 always answers (``assignment = "first"``); inference is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlseg_cli.models.psalm import PSALM, Seen
from vlseg_cli.models.psalm_batch import Prompts, PSALMBatch, PSALMCollator
from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.models.psalm_losses import Level, averaged_counts, category_losses, condition_losses
from vlseg_cli.models.psalm_words import WordsBatch, WordsCollator, WordsHeads, sentence_end
from vlseg_cli.models.steps import Answered, Read
from vlseg_cli.models.trainable import Trainable
from vlseg_cli.nn.auxiliary import Boxes, DenseNames, Pointing, boxes_of
from vlseg_cli.nn.losses import dice, mask_bce
from vlseg_cli.nn.mask_sampling import DenseSampling, MaskSampling, PointSampling
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.placeholders import Placeholder
from vlseg_cli.prompts.psalm import PSALMPrompts
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import RecipeError
from vlseg_cli.weights.fit import load_into
from vlseg_cli.weights.folder import load_tensors, save_folder
from vlseg_cli.worlds.text import TextExercise

Assignment = Literal["hungarian", "first"]


@dataclass(frozen=True, slots=True)
class PSALMLosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's."""

    mask: float = 5.0
    dice: float = 5.0
    category: float = 2.0
    sentence: float = 2.0
    region: float = 2.0
    void: float = 0.1
    points: int = 12544  # 0: every cell of the mask map
    assignment: Assignment = "hungarian"
    # Auxiliary heads; 0 leaves them unused.
    dense_names: float = 0.0
    meant_names: float = 0.0
    boxes: float = 0.0
    pointing: float = 0.0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PSALMLosses":
        """Unknown keys and an unknown assignment are a RecipeError."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise RecipeError(f"[losses] has unknown keys for PSALM: {', '.join(unknown)}")
        losses = cls(**values)
        if losses.assignment not in get_args(Assignment):
            raise RecipeError(
                f"[losses] assignment is {losses.assignment!r}; it can be "
                f"{' or '.join(get_args(Assignment))}"
            )
        return losses


class TrainablePSALM(Trainable):
    """PSALM, its tokenizer and the auxiliary heads over ``names``; ``stuff`` flags each name."""

    def __init__(
        self,
        config: PSALMConfig,
        tokenizer: Tokenizer,
        names: Sequence[str],
        stuff: Sequence[bool],
        losses: PSALMLosses | None = None,
    ) -> None:
        super().__init__()
        self.psalm, self.tokenizer = PSALM(config), tokenizer
        self.names, self.stuff = tuple(names), tuple(stuff)
        self.weights = losses or PSALMLosses()
        if self.weights.assignment == "first" and config.regions_together:
            raise RecipeError(
                '[losses] assignment = "first" answers one region per prompt; set regions_together'
                " = false in [model.config]"
            )
        self.dense_names = DenseNames(config.mask_channels, len(self.names))
        self.boxes = Boxes(config.pixel_channels)
        self.pointing = Pointing(config.language_channels)
        self.words = WordsHeads(config.language_channels, self.names)

    # The training loop's interface -------------------------------------------------------------

    def forward(self, batch: PSALMBatch | WordsBatch) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimised."""
        if isinstance(batch, WordsBatch):
            read: dict[str, Tensor] = self.words(self.psalm, batch)
            return read
        seen = self.psalm.see(batch.pixel_values)
        counts = averaged_counts(
            [_masks(p) for p in (batch.categories, batch.sentences, batch.regions)]
        )
        losses: dict[str, Tensor] = {}
        if batch.categories:
            losses |= self._categories(seen, batch.categories, counts[0])
        if batch.sentences:
            kind = ConditionKind.SENTENCE
            losses |= self._conditions(seen, batch.sentences, kind, counts[1], batch.meant)
        if batch.regions:
            losses |= self._conditions(seen, batch.regions, ConditionKind.REGION, counts[2])
        if self.weights.dense_names:
            dense = self.dense_names(seen.pixels.mask_features, batch.semantic)
            losses["dense_names"] = self.weights.dense_names * dense
        return losses

    def collator(self, size: int | None = None) -> PSALMCollator:
        """What turns samples into a batch, free of weights. ``size``: input side, px."""
        config = self.psalm.config
        prompts = PSALMPrompts(
            self.tokenizer,
            config.prompt_style,
            config.queries,
            config.single_queries or config.queries,
        )
        return PSALMCollator(
            prompts, size or config.image_size, self.sampling, self.names, config.regions_together
        )

    def pictures_collator(self, size: int | None = None) -> PSALMCollator:
        """The same, asking nothing but which name each cell has.

        Raises RecipeError if the loss that teaches it is switched off.
        """
        if not self.weights.dense_names:
            raise RecipeError(
                'data = "pictures" teaches nothing with [losses] dense_names = 0; give it a weight'
            )
        return replace(self.collator(size), silent=True)

    def words_collator(self) -> Callable[[Sequence[TextExercise]], WordsBatch]:
        """The same for sentences without pictures."""
        return WordsCollator(self.tokenizer, self.names)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one."""
        psalm = self.psalm
        parts: dict[str, list[nn.Module]] = {
            "vision": [psalm.vision_tower],
            "connector": [psalm.connector],
            "language": [psalm.language, psalm.lm_head],
            "pixel_decoder": [psalm.pixel_decoder],
            "mask_decoder": [psalm.mask_decoder],
            "auxiliary": [
                self.dense_names,
                self.boxes,
                self.pointing,
                self.words,
            ],
        }
        groups = {
            name: [p for m in modules for p in m.parameters()] for name, modules in parts.items()
        }
        taken = {id(p) for group in groups.values() for p in group}
        groups["heads"] = [p for p in self.parameters() if id(p) not in taken]
        return groups

    def begin_with(self, directory: Path) -> None:
        """Take the weights of a model folder. Raises WeightsError if they do not fit."""
        load_into(self.psalm, load_tensors(directory), directory)

    def save(self, directory: Path, card: str) -> None:
        """Write config.json, tokenizer.json, model.safetensors (fp16) and README.md."""
        settings = {
            "architecture": "psalm",
            "config": asdict(self.psalm.config),
            "categories": {"names": self.names, "stuff": self.stuff},
        }
        save_folder(directory, self.psalm, settings, self.tokenizer.save, card)

    # Losses ------------------------------------------------------------------------------------

    @property
    def sampling(self) -> MaskSampling:
        """Points as the papers do, or every cell."""
        return PointSampling(self.weights.points) if self.weights.points else DenseSampling()

    def _categories(self, seen: Seen, prompts: Prompts, count: float) -> dict[str, Tensor]:
        kind = ConditionKind.CATEGORY
        answered = self.psalm(seen, prompts.sequences, prompts.pictures, kind)
        levels = category_losses(
            answered,
            prompts.truth,
            prompts.labels,
            _Prepared(self.sampling),
            self.weights.void,
            count,
        )
        return self._weighted(levels, "categories")

    def _conditions(
        self,
        seen: Seen,
        prompts: Prompts,
        kind: ConditionKind,
        count: float,
        meant: Tensor | None = None,
    ) -> dict[str, Tensor]:
        read = self.psalm.read(seen, prompts.sequences, prompts.pictures, prompts.regions)
        asked = self.psalm.ask(read, kind)
        answered = self.psalm.answer(seen, prompts.pictures, asked, kind)
        if self.weights.assignment == "hungarian":
            levels = condition_losses(
                answered, prompts.truth, prompts.labels, _Prepared(self.sampling), kind, count
            )
            losses = self._weighted(levels, f"{kind}s")
        else:
            losses = self._first_answers(answered, prompts, kind)
        if meant is not None and self.weights.meant_names:
            value = self.words.meant(sentence_end(read), meant)
            losses["meant_names"] = self.weights.meant_names * value
        return losses | self._where(seen, prompts, read, answered, kind)

    def _first_answers(
        self, answered: Answered, prompts: Prompts, kind: ConditionKind
    ) -> dict[str, Tensor]:
        """Mask token 0 owes the whole answer; the others learn not to claim it."""
        rows = _answerable(prompts)
        levels: list[Level] = []
        for scores, pred_masks in zip(answered.scores, answered.pred_masks, strict=True):
            target = torch.zeros_like(scores[..., 0])
            target[rows, 0] = 1
            level: Level = {kind: F.binary_cross_entropy_with_logits(scores[..., 0], target)}
            if len(rows):
                logits, values = self.sampling.for_loss(pred_masks[rows, 0], _answers(prompts))
                level["mask"] = mask_bce(logits, values, len(rows))
                level["dice"] = dice(logits, values, len(rows))
            levels.append(level)
        return self._weighted(levels, f"{kind}s")

    def _where(
        self, seen: Seen, prompts: Prompts, read: Read, answered: Answered, kind: ConditionKind
    ) -> dict[str, Tensor]:
        """Auxiliary questions of place, asked of prompts that have an answer."""
        rows = _answerable(prompts)
        losses: dict[str, Tensor] = {}
        if not len(rows):
            return losses
        wanted = _answers(prompts)
        if self.weights.boxes:
            boxes = boxes_of(wanted)
            each = [self.boxes(z[rows, 0], boxes) for z in answered.hidden[1:]]
            losses[f"{kind}s_boxes"] = self.weights.boxes * torch.stack(each).sum()
        if self.weights.pointing:
            prefix = seen.prefixes[prompts.sequences[0].prefix]
            h, w = seen.tokens.shape[-2:]
            cells = F.adaptive_avg_pool2d(wanted, (h, w)).flatten(1)
            image_tokens = prefix.hidden[:, -h * w :][prompts.pictures[rows]]
            first = (read.ids == Placeholder.QUERIES).int().argmax(1)[rows]
            value = self.pointing(read.hidden[rows, first], image_tokens, cells)
            losses[f"{kind}s_pointing"] = self.weights.pointing * value
        return losses

    def _weighted(self, levels: Sequence[Level], prefix: str) -> dict[str, Tensor]:
        """Sum each loss over the decoder's levels and weigh it."""
        names = levels[0]
        return {
            f"{prefix}_{name}": getattr(self.weights, name)
            * torch.stack([level[name] for level in levels]).sum()
            for name in names
        }


class _Prepared:
    """A sampling for truth that the collator has prepared already."""

    def __init__(self, sampling: MaskSampling) -> None:
        self.for_matching, self.for_loss = sampling.for_matching, sampling.for_loss

    def prepare(self, truth: Tensor) -> Tensor:
        return truth


def _masks(prompts: Prompts | None) -> int:
    """Number of true masks of all prompts of a kind."""
    return sum(len(mask) for mask in prompts.truth) if prompts else 0


def _answerable(prompts: Prompts) -> Tensor:
    """(M,): the prompts that have an answer."""
    present = torch.tensor([len(mask) > 0 for mask in prompts.truth])
    return present.nonzero()[:, 0].to(prompts.pictures.device)


def _answers(prompts: Prompts) -> Tensor:
    """(M, h, w): the truth of the prompts that have one, each one mask."""
    return torch.stack([mask.amax(0) for mask in prompts.truth if len(mask)])
