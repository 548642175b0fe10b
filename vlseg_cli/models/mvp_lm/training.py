"""MVP-LM as the training loop sees it: a batch goes in, weighted losses come out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from vlseg_cli.models.checkpoint import load_initial_weights
from vlseg_cli.models.mask2former.criterion import averaged_counts
from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.mvp_lm.collator import MVPLMBatch, MVPLMCollator, MVPLMPromptBatch
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.criterion import (
    TargetCounts,
    all_losses,
    count_targets,
    selection_loss,
)
from vlseg_cli.models.mvp_lm.modeling import MVPLM, MVPLMQueries
from vlseg_cli.models.mvp_lm.prompts import MVPLMPrompts
from vlseg_cli.models.text_training import (
    IMAGE_PLACEHOLDERS,
    TextBatch,
    TextCollator,
    TextHeads,
    sentence_end,
)
from vlseg_cli.models.training import Trainable, dense_only, groups_with_heads
from vlseg_cli.nn.auxiliary import DenseCategoryHead
from vlseg_cli.nn.lora import inject_lora, merged_state_dict
from vlseg_cli.nn.losses import DenseSampling, MaskSampling, PointSampling, next_token_loss
from vlseg_cli.nn.mask_dino import denoising_queries
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary
from vlseg_cli.schema.tables import Formerly, Fraction, Natural, NonNegative
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import save_folder


@dataclass(frozen=True, slots=True)
class MVPLMLosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's."""

    language: NonNegative = 1.0
    category: NonNegative = 2.0
    sentence: NonNegative = 2.0  # the released code takes a tenth of it
    mask: NonNegative = 5.0
    dice: NonNegative = 5.0
    box: NonNegative = 5.0
    giou: NonNegative = 2.0
    no_object_weight: Annotated[Fraction, Formerly("void")] = 0.1
    points: Natural = 12544  # 0: every cell of the mask map
    denoising: Natural = 100  # queries at most; 0: none
    # What is asked: least and most names of a list (all if empty), panoptic taught as instances.
    listed_names: tuple[int, ...] = ()
    instances: Fraction = 0.0
    # Auxiliary losses; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0
    selection: NonNegative = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for a list of names that is no range."""
        listed = self.listed_names
        if listed and (len(listed) != 2 or not 1 <= listed[0] <= listed[1]):
            raise ValueError(
                f"listed_names is {[*listed]}; give the least and the most names of a list, as in"
                " [80, 120]"
            )


class TrainableMVPLM(Trainable):
    """MVP-LM, its tokenizer and the auxiliary heads over ``names``; ``stuff`` flags each name."""

    def __init__(
        self,
        config: MVPLMConfig,
        tokenizer: Tokenizer,
        vocabulary: TrainingVocabulary,
        losses: MVPLMLosses | None = None,
    ) -> None:
        super().__init__()
        self.model, self.tokenizer = MVPLM(config), tokenizer
        self.vocabulary = vocabulary
        self.names, self.stuff = vocabulary.names, vocabulary.stuff
        self.weights = losses or MVPLMLosses()
        self.dense_names = DenseCategoryHead(config.mask_channels, len(self.names))
        self.words = TextHeads(config.language_channels, self.vocabulary)
        self.adapters: list[nn.Parameter] = []

    # The training loop's interface -------------------------------------------------------------

    def forward(self, batch: MVPLMBatch | TextBatch) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimized."""
        if isinstance(batch, TextBatch):
            noise = ImageFeatures.noise(IMAGE_PLACEHOLDERS, self.model.config, batch.meant.device)
            read: dict[str, Tensor] = self.words(self.model, noise, batch)
            return read
        seen = self.model.encode_image(batch.pixel_values)
        kinds = {
            "everything": (batch.everything, ConditionKind.CATEGORY),
            "things": (batch.things, ConditionKind.CATEGORY),
            "sentences": (batch.sentences, ConditionKind.SENTENCE),
        }
        found = [count_targets(prompts.truth if prompts else ()) for prompts, _ in kinds.values()]
        averaged = averaged_counts([number for pair in found for number in pair])
        losses: dict[str, Tensor] = {}
        for place, (name, (prompts, kind)) in enumerate(kinds.items()):
            counts = TargetCounts(*averaged[2 * place : 2 * place + 2])
            if prompts:
                losses |= self._prompts(seen, prompts, kind, name, counts, batch.meant)
        if self.weights.dense_names:
            dense = self.dense_names(seen.pixels.mask_features, batch.semantic)
            losses["dense_names"] = self.weights.dense_names * dense
        return losses

    def collator(self, size: int | None = None) -> MVPLMCollator:
        """What turns samples into a batch, free of weights. ``size``: input side, px."""
        config = self.model.config
        return MVPLMCollator(
            MVPLMPrompts(self.tokenizer, config.prompt_style, config.summary_token),
            size or config.image_size,
            self.sampling,
            config.queries if config.prompt_style == "released" else 1,
            self.names,
            self.weights.listed_names,
            self.weights.instances,
        )

    def dense_collator(self, size: int | None = None) -> MVPLMCollator:
        """The same, see ``dense_only``."""
        return dense_only(self.collator(size), self.weights.dense_names)

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """The same for sentences without pictures."""
        return TextCollator(MVPLMPrompts(self.tokenizer, "plain").sentence, self.vocabulary)

    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """See ``Trainable``."""
        self.adapters = inject_lora(self.model.language, rank, alpha, dropout, targets)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one."""
        model = self.model
        parts: dict[str, list[nn.Module]] = {
            "vision": [model.vision_tower],
            "connector": [model.connector],
            "language": [model.language, model.lm_head],
            "pixel_decoder": [model.pixel_decoder],
            "decoder": [model.selection, model.decoder, model.mask_head],
            "auxiliary": [self.dense_names, self.words],
        }
        return groups_with_heads(self, parts, self.adapters)

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """See ``Trainable``; of another system's folder the parts that both have are taken."""
        return load_initial_weights(self.model, self.tokenizer, "mvp-lm", directory)

    def save(self, directory: Path, card: str) -> None:
        """Write config.json, tokenizer.json, model.safetensors (fp16) and README.md."""
        settings = {
            "architecture": "mvp-lm",
            "config": asdict(self.model.config),
            "categories": {"names": self.names, "stuff": self.stuff},
        }
        save_folder(directory, merged_state_dict(self.model), settings, self.tokenizer.save, card)

    # Losses ------------------------------------------------------------------------------------

    @property
    def sampling(self) -> MaskSampling:
        """Points as the papers do, or every cell."""
        return PointSampling(self.weights.points) if self.weights.points else DenseSampling()

    def _prompts(
        self,
        seen: ImageFeatures,
        prompts: MVPLMPromptBatch,
        kind: ConditionKind,
        name: str,
        counts: TargetCounts,
        meant: Tensor,
    ) -> dict[str, Tensor]:
        """All losses of the prompts of one kind, under its name."""
        stuff = name == "everything"
        read = self.model.run_language_model(seen, prompts.sequences, prompts.pictures)
        instruction = self.model.pool(read)
        asked = self.model.build_queries(seen, prompts.pictures, instruction, kind, stuff)
        noise = None
        if kind is ConditionKind.CATEGORY and self.weights.denoising:
            boxes, labels = ([getattr(t, k) for t in prompts.truth] for k in ("boxes", "labels"))
            noise = denoising_queries(asked.conditions, boxes, labels, self.weights.denoising)
        answered = self.model.decode_masks(seen, prompts.pictures, asked, kind, True, noise)
        stages = all_losses(
            answered,
            noise,
            prompts.truth,
            kind,
            self.sampling,
            counts,
            asked.places.shape[1] if stuff else None,
            self.weights.no_object_weight,
        )
        losses = {
            f"{name}_{loss}": getattr(self.weights, loss)
            * torch.stack([stage[loss] for stage in stages if loss in stage]).sum()
            for loss in stages[0]
        }
        if self.weights.language and bool((prompts.said >= 0).any()):
            said = next_token_loss(self.model.lm_head(read.hidden), prompts.said)
            losses[f"{name}_language"] = self.weights.language * said
        if self.weights.selection:
            losses[f"{name}_selection"] = self._selection(seen, prompts, asked, kind)
        if kind is ConditionKind.SENTENCE and self.weights.sentence_class:
            value = self.words.meant(sentence_end(read), meant)
            losses["sentence_class"] = self.weights.sentence_class * value
        return losses

    def _selection(
        self,
        seen: ImageFeatures,
        prompts: MVPLMPromptBatch,
        asked: MVPLMQueries,
        kind: ConditionKind,
    ) -> Tensor:
        """Every place of the memory says itself whether it is meant, not the chosen ones alone."""
        projected, valid = self.model.project(seen, kind)
        value = selection_loss(
            projected[prompts.pictures], valid, seen.pixels.memory, asked, prompts.truth
        )
        return self.weights.selection * value
