"""SELF1E in training: losses of a batch, parameter groups, initialization from InternVL.

The auxiliary losses of a miniature (categories of cells and of sentences) have weight 0 by default;
inference is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from vlseg_cli.models.official import model_type
from vlseg_cli.models.self1e.collator import SELF1EBatch, SELF1ECollator
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.conversion import MODEL_TYPES, init_from_internvl
from vlseg_cli.models.self1e.criterion import language_loss, low_masks, mask_losses
from vlseg_cli.models.self1e.modeling import SELF1E, SELF1EFeatures, SELF1ELanguageOutput
from vlseg_cli.models.self1e.prompts import SELF1EPrompts
from vlseg_cli.models.text_training import TextBatch, TextCollator, TextHeads
from vlseg_cli.models.training import Trainable, parameters_by_part
from vlseg_cli.nn.auxiliary import DenseCategoryHead
from vlseg_cli.nn.lora import inject_lora
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.pixel_decoder import coordinate_features
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary
from vlseg_cli.schema.tables import Formerly, Natural, NonNegative
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import load_into, load_tensors

_NOISE_IMAGES, _NOISE_TOKENS = 4, 4  # stand for images in text-only training
# Initial scales of a miniature: token embeddings, layer scale, position embeddings.
_EMBEDDINGS, _LAYER_SCALE, _POSITIONS = 0.5, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class SELF1ELosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's (section 9)."""

    language: Annotated[NonNegative, Formerly("words")] = 1.0
    bce: NonNegative = 2.0
    dice: NonNegative = 0.5
    # Number of an image's categories that become prompts of their own
    category_prompts: Annotated[Natural, Formerly("names")] = 3
    # Auxiliary heads; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0


class TrainableSELF1E(Trainable):
    """SELF1E, its tokenizer and the auxiliary heads over ``names``; ``stuff`` flags each name."""

    architecture: ClassVar[str] = "self1e"

    def __init__(
        self,
        config: SELF1EConfig,
        tokenizer: Tokenizer,
        vocabulary: TrainingVocabulary,
        losses: SELF1ELosses | None = None,
    ) -> None:
        super().__init__()
        self.adapters: list[nn.Parameter] = []
        self.model, self.tokenizer = SELF1E(config), tokenizer
        self.vocabulary = vocabulary
        self.names, self.stuff = vocabulary.names, vocabulary.stuff
        self.weights = losses or SELF1ELosses()
        self.dense_names = DenseCategoryHead(config.language_channels, len(self.names))
        self.words = TextHeads(config.language_channels, self.vocabulary)
        _init_weights(self.model)

    def forward(self, batch: SELF1EBatch | TextBatch) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is minimized."""
        if isinstance(batch, TextBatch):
            return self._text_losses(batch)
        image_features = self.model.encode_image(batch.pixel_values)
        losses: dict[str, Tensor] = {}
        if batch.conversations:
            losses |= self._prompt_losses(image_features, batch)
        if self.weights.dense_names:
            dense = self.dense_names(image_features.fine.permute(0, 3, 1, 2), batch.semantic)
            losses["dense_names"] = self.weights.dense_names * dense
        return losses

    def collator(self, size: int | None = None) -> SELF1ECollator:
        """See ``Trainable``. Raises RecipeError for a size that is no multiple of an image token's
        side."""
        config = replace(self.model.config, image_size=size or self.model.config.image_size)
        if config.image_size % (2 * config.patch_size):
            raise RecipeError(
                f"size {config.image_size} is no multiple of {2 * config.patch_size}, the side of "
                "an image token in px"
            )
        return SELF1ECollator(
            SELF1EPrompts(self.tokenizer, config.prompt_style, config.image_tokens),
            config.image_size,
            2 * config.image_size // config.patch_size,
            self.names,
            self.weights.category_prompts,
        )

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """See ``Trainable``."""
        style = self.model.config.prompt_style
        prompts = SELF1EPrompts(self.tokenizer, style, _NOISE_TOKENS)
        return TextCollator(prompts.sentence, self.vocabulary)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one.

        'words' are embeddings and output head, 'lora' all adapters.
        """
        internvl = self.model.internvl
        parts: dict[str, list[nn.Module]] = {
            "vision": [internvl.model.vision_tower],
            "projector": [internvl.model.multi_modal_projector],
            "vocabulary": [internvl.get_input_embeddings(), internvl.lm_head],
            "language": [internvl.model.language_model],
            "refill": [self.model.refill],
            "auxiliary": [self.dense_names, self.words],
        }
        return {"lora": list(self.adapters), **parameters_by_part(parts, self.adapters)}

    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """See ``Trainable``. The authors adapt the fused q, k and v of a vision layer with one
        adapter; here each has its own A instead of a shared one."""
        self.adapters = inject_lora(self.model.internvl.model, rank, alpha, dropout, targets)

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """See ``Trainable``; or an InternVL in its published layout, whose sizes and tokenizer are
        taken as well."""
        if model_type(directory) not in MODEL_TYPES:
            load_into(self.model, load_tensors(directory), directory)
            return ()
        self.model, self.tokenizer, new = init_from_internvl(directory)
        width = self.model.config.language_channels
        self.dense_names = DenseCategoryHead(width, len(self.names))
        self.words = TextHeads(width, self.vocabulary)
        return new

    def _prompt_losses(
        self, image_features: SELF1EFeatures, batch: SELF1EBatch
    ) -> dict[str, Tensor]:
        model, image_index = self.model, batch.image_index
        output = model.run_language_model(image_features, batch.conversations, image_index)
        queries = model.build_queries(image_features, output)
        mask_output = model.decode_masks(image_features, image_index, queries)
        masks = mask_losses(mask_output.pred_masks, low_masks(queries), batch.targets)
        losses = {
            "language": self.weights.language * language_loss(model, output),
            "bce": self.weights.bce * masks.bce,
            "dice": self.weights.dice * masks.dice,
        }
        if self.weights.sentence_class:
            value = self.words.class_loss(*_seg_states(output, batch.category_shares))
            losses["sentence_class"] = self.weights.sentence_class * value
        return losses

    def _text_losses(self, batch: TextBatch) -> dict[str, Tensor]:
        """Text-only training: next tokens and attributes of a sentence, after image noise."""
        device = batch.category_shares.device
        image_features = _noise(self.model.config.language_channels, device)
        image_index = torch.arange(len(batch.sequences), device=device) % _NOISE_IMAGES
        output = self.model.run_language_model(image_features, batch.sequences, image_index)
        losses: dict[str, Tensor] = {}
        for position, before in (("query", 1), ("seg", 0)):
            owner, seg = output.inputs.seg.nonzero(as_tuple=True)
            each = self.words.attribute_losses(output.hidden[owner, seg - before], batch)
            losses |= {f"{name}_{position}": 0.5 * value for name, value in each.items()}
        labels = output.inputs.ids.masked_fill(output.inputs.image | output.inputs.padding, -100)
        logits = self.model.internvl.lm_head(output.hidden)
        return losses | {"text_next_token": 0.2 * next_token_loss(logits, labels)}


def _seg_states(output: SELF1ELanguageOutput, category_shares: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden states that predict ``[SEG]`` and those at ``[SEG]``, to which image tokens attend,
    (2M, D), and the classes of each (2M, names)."""
    owner, seg = output.inputs.seg.nonzero(as_tuple=True)
    hidden = torch.cat([output.hidden[owner, seg - 1], output.hidden[owner, seg]])
    return hidden, category_shares[owner].repeat(2, 1)


def _noise(width: int, device: torch.device) -> SELF1EFeatures:
    """Features of random images."""
    tokens = torch.randn(_NOISE_IMAGES, _NOISE_TOKENS, width, device=device) * _EMBEDDINGS
    empty = torch.zeros(_NOISE_IMAGES, 0, device=device)
    return SELF1EFeatures(tokens, empty, empty, (1, 1))


@torch.no_grad()
def _init_weights(model: SELF1E) -> None:
    """Random weights for narrow models. The authors' N(0, 0.02) for new heads beside a trained
    model would give a miniature logits of 1e-9; and its position embeddings start as a projection
    of coordinates instead of zeros."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
    nn.init.normal_(model.internvl.get_input_embeddings().weight, std=_EMBEDDINGS)
    tower = model.internvl.model.vision_tower
    for layer in tower.encoder.layer:
        layer.lambda_1.fill_(_LAYER_SCALE)
        layer.lambda_2.fill_(_LAYER_SCALE)
    positions = tower.embeddings.position_embeddings
    side = round((positions.shape[1] - 1) ** 0.5)
    coordinates = coordinate_features(side, side, positions.device).flatten(1).T
    positions[:, 1:] = (
        coordinates @ torch.randn(coordinates.shape[1], positions.shape[2]) * _POSITIONS
    )
