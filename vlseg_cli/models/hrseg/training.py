"""HRSeg in training: losses of a batch, parameter groups, initialization from LLM-Seg.

The auxiliary losses of a miniature (categories of tokens and of sentences) have weight 0 by
default; inference is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from vlseg_cli.models.checkpoint import part_names
from vlseg_cli.models.hrseg.collator import HRSegBatch, HRSegCollator, HRSegSupervision
from vlseg_cli.models.hrseg.config import OWN_SAM, HRSegConfig
from vlseg_cli.models.hrseg.criterion import Weighting, losses_per_text, mean_per_image
from vlseg_cli.models.hrseg.modeling import HRSeg, HRSegFeatures
from vlseg_cli.models.hrseg.prompts import IGNORED, HRSegPrompts
from vlseg_cli.models.proposals.base import OpenProposer, ProposalOptions
from vlseg_cli.models.text_training import TextBatch, TextCollator, TextHeads
from vlseg_cli.models.training import Trainable, parameters_by_part
from vlseg_cli.nn.auxiliary import DenseCategoryHead
from vlseg_cli.nn.high_resolution import join_windows
from vlseg_cli.nn.lora import inject_lora
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary
from vlseg_cli.schema.tables import Count, Formerly, Natural, NonNegative
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import load_into, load_tensors
from vlseg_cli.weights.settings import TOKENIZER, load_settings

_NOISE_IMAGES, _NOISE_TOKENS = 4, 4  # stand for images in text-only training
# Keys of [model.config] that hold although the sizes come with the initial weights.
_RECIPE_KEYS = (
    *("view", "windows", "gamma", "pooled", "enhancement_layers", "mask_size"),
    *("proposals", "max_proposals", "selection", "top", "iop", "empty"),
)
_ADDITIONS = ("region_attention.", "enhancement.")  # of HRSeg to LLM-Seg


@dataclass(frozen=True, slots=True)
class HRSegLosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's (section 8)."""

    language: Annotated[NonNegative, Formerly("text")] = 1.0
    align: NonNegative = 1.0
    iop: NonNegative = 1.0
    weighting: Weighting = "weighted"
    # Number of an image's categories that become prompts of their own
    category_prompts: Annotated[Natural, Formerly("names")] = 3
    windows: tuple[Count, ...] = ()  # values that a batch's N is drawn from; empty: the model's
    # Auxiliary heads; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0


class TrainableHRSeg(Trainable):
    """HRSeg, its tokenizer and the auxiliary heads over ``names``.

    Raises RecipeError for a model with a SAM of its own: in training the proposer stays outside, so
    that its masks can be cached and its weights are neither averaged nor saved with the rest. And
    for [losses] windows with a model that has none.
    """

    architecture: ClassVar[str] = "hrseg"

    def __init__(
        self,
        config: HRSegConfig,
        tokenizer: Tokenizer,
        vocabulary: TrainingVocabulary,
        losses: HRSegLosses | None = None,
    ) -> None:
        super().__init__()
        self.adapters: list[nn.Parameter] = []
        if config.proposals == OWN_SAM:
            raise RecipeError(
                '[model.config] proposals = "sam" is for models that carry a SAM; name another '
                'source of proposals, as "embedded" or "sam-vit-h"'
            )
        self.vocabulary = vocabulary
        self.names, self.stuff = vocabulary.names, vocabulary.stuff
        self.weights = losses or HRSegLosses()
        if self.weights.windows and not config.windows:
            raise RecipeError(
                "[losses] windows are for a model with windows: give [model.config]"
                " windows another number than 0"
            )
        self.model, self.tokenizer = HRSeg(config), tokenizer
        self.dense_names = DenseCategoryHead(config.channels, len(self.names))
        self.words = TextHeads(config.language_channels, self.vocabulary)

    def forward(self, batch: HRSegBatch | TextBatch) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is minimized."""
        if isinstance(batch, TextBatch):
            return self._text_losses(batch)
        tokens = self.model.encode_views(batch.views)
        losses: dict[str, Tensor] = {}
        if self.weights.dense_names:
            losses["dense_names"] = self.weights.dense_names * self._dense_loss(tokens, batch)
        if batch.supervision:
            perception = self.model.attend_to_windows(tokens)
            image_features = self.model.encode_image(*batch.images, perception, batch.masks)
            losses |= self._prompt_losses(image_features, batch.supervision)
        return losses

    def collator(self, size: int | None = None) -> HRSegCollator:  # noqa: ARG002
        """See ``Trainable``. ``size`` is that of the scenes alone: the model's input sizes are
        those of its config."""
        config = self.model.config
        return HRSegCollator(
            config,
            HRSegPrompts(self.tokenizer, config.prompt_style),
            self.names,
            self.weights.category_prompts,
            self.weights.windows or (config.windows,),
            self._options,
            self._open_proposer,
        )

    def choose_proposals(self, options: ProposalOptions, open_proposer: OpenProposer) -> None:
        """See ``TakesProposals``; without a source in it, [model.config] names it."""
        self._options, self._open_proposer = options, open_proposer

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """See ``Trainable``."""
        prompts = HRSegPrompts(self.tokenizer, self.model.config.prompt_style)
        return TextCollator(prompts.question, self.vocabulary)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one.

        'words' are embeddings and output head, 'lora' all adapters, 'selection' fusion and heads.
        """
        model = self.model
        llava = model.llava.model
        parts: dict[str, list[nn.Module]] = {
            "clip": [llava.vision_tower],
            "projector": [llava.multi_modal_projector],
            "vocabulary": [llava.language_model.get_input_embeddings(), model.lm_head],
            "language": [llava],
            "dino": [model.dino],
            "perception": [
                model.dino_projection,
                *(part for name, part in model.named_children() if f"{name}." in _ADDITIONS),
            ],
            "selection": [model],
            "auxiliary": [self.dense_names, self.words],
        }
        return {"lora": list(self.adapters), **parameters_by_part(parts, self.adapters)}

    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """See ``Trainable``."""
        self.adapters = inject_lora(self.model.llava.language, rank, alpha, dropout, targets)

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """See ``Trainable``. Sizes and tokenizer are the folder's; the additions that LLM-Seg's
        weights lack keep their random weights."""
        theirs = HRSegConfig.from_dict(load_settings(directory)["config"])
        ours = {key: getattr(self.model.config, key) for key in _RECIPE_KEYS}
        self.model = HRSeg(replace(theirs, **ours))
        self.tokenizer = Tokenizer.load(directory / TOKENIZER)
        self.dense_names = DenseCategoryHead(self.model.config.channels, len(self.names))
        self.words = TextHeads(self.model.config.language_channels, self.vocabulary)
        tensors = {n: t for n, t in load_tensors(directory).items() if not n.startswith("sam.")}
        own = self.model.state_dict()
        new = {n: t for n, t in own.items() if n.startswith(_ADDITIONS) and n not in tensors}
        load_into(self.model, {**tensors, **new}, directory)
        return part_names(new)

    def _prompt_losses(
        self, image_features: HRSegFeatures, target: HRSegSupervision
    ) -> dict[str, Tensor]:
        model, image_index = self.model, target.image_index
        output = model.run_language_model(image_features, target.sequences, image_index)
        mask_output = model.decode_masks(image_features, image_index, model.build_queries(output))
        each = losses_per_text(mask_output, target.iou, target.iop, self.weights.weighting)
        losses = {
            name: getattr(self.weights, name) * mean_per_image(values, image_index)
            for name, values in each.items()
        }
        language = next_token_loss(model.lm_head(output.hidden), target.labels)
        losses["language"] = self.weights.language * language
        if self.weights.sentence_class:
            value = self.words.class_loss(output.seg_states, target.category_shares)
            losses["sentence_class"] = self.weights.sentence_class * value
        return losses

    def _dense_loss(self, tokens: Tensor, batch: HRSegBatch) -> Tensor:
        """The category of each token, of the overview and of the windows if there are any."""
        loss: Tensor = self.dense_names(tokens[:, 0].permute(0, 3, 1, 2), batch.overview_names)
        if self.model.config.windows:
            joined = join_windows(tokens[:, 1:]).permute(0, 3, 1, 2)
            loss = (loss + self.dense_names(joined, batch.window_names)) / 2
        return loss

    def _text_losses(self, batch: TextBatch) -> dict[str, Tensor]:
        """Text-only training: next tokens and attributes of a sentence, after image noise."""
        device, width = batch.category_shares.device, self.model.config.language_channels
        noise = torch.randn(_NOISE_IMAGES, _NOISE_TOKENS, width, device=device) * 0.1
        nothing = torch.zeros(_NOISE_IMAGES, 0, self.model.config.channels, device=device)
        image_features = HRSegFeatures(list(noise), nothing, nothing[..., 0] > 0)
        image_index = torch.arange(len(batch.sequences), device=device) % _NOISE_IMAGES
        output = self.model.run_language_model(image_features, batch.sequences, image_index)
        losses = self.words.attribute_losses(output.seg_states, batch)
        positions = torch.arange(output.ids.shape[1], device=device)
        ends = (output.condition == 0).int().argmax(1, keepdim=True)
        labels = output.ids.masked_fill(positions > ends, IGNORED)
        logits = self.model.lm_head(output.hidden)
        return losses | {"text_next_token": 0.2 * next_token_loss(logits, labels)}
