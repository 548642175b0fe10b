"""SELF1E as the training loop sees it: a batch goes in, weighted losses come out.

What a miniature learns with beside the paper's losses (names of pixels, meanings of sentences) has
weight 0 by default; inference is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from vlseg_cli.models.official import model_type
from vlseg_cli.models.self1e.base_weights import init_from_internvl
from vlseg_cli.models.self1e.collator import SELF1EBatch, SELF1ECollator
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.conversion import MODEL_TYPES
from vlseg_cli.models.self1e.criterion import low_masks, mask_losses, words_loss
from vlseg_cli.models.self1e.modeling import SELF1E, SELF1EFeatures, SELF1ELanguageOutput
from vlseg_cli.models.self1e.prompts import SELF1EPrompts
from vlseg_cli.models.text_training import TextBatch, TextCollator, TextHeads
from vlseg_cli.models.training import Trainable, dense_only, parameters_by_part
from vlseg_cli.nn.auxiliary import DenseCategoryHead
from vlseg_cli.nn.lora import inject_lora, merged_state_dict
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.pixel_decoder import coordinate_features
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary
from vlseg_cli.schema.tables import Formerly, Natural, NonNegative
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import load_into, load_tensors, save_folder

_NOISE_PICTURES, _NOISE_TOKENS = 4, 4  # what sentences are read after, before there are pictures
# Scales of a fresh model: word embeddings, what a vision block adds, position embeddings.
_WORDS, _BLOCKS, _PLACES = 0.5, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class SELF1ELosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's (section 9)."""

    words: NonNegative = 1.0
    bce: NonNegative = 2.0
    dice: NonNegative = 0.5
    names: Natural = 3  # how many of a picture's names are asked for, each by itself
    # Auxiliary heads; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0


class TrainableSELF1E(Trainable):
    """SELF1E, its tokenizer and the auxiliary heads over ``names``; ``stuff`` flags each name."""

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
        _start_afresh(self.model)

    # The training loop's interface -------------------------------------------------------------

    def forward(self, batch: SELF1EBatch | TextBatch) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimized."""
        if isinstance(batch, TextBatch):
            return self._sentences(batch)
        seen = self.model.encode_image(batch.pixel_values)
        losses: dict[str, Tensor] = {}
        if batch.conversations:
            losses |= self._conversations(seen, batch)
        if self.weights.dense_names:
            dense = self.dense_names(seen.fine.permute(0, 3, 1, 2), batch.semantic)
            losses["dense_names"] = self.weights.dense_names * dense
        return losses

    def collator(self, size: int | None = None) -> SELF1ECollator:
        """What turns samples into a batch, free of weights. ``size``: input side, px.

        Raises RecipeError for a side that cannot be cut into image tokens.
        """
        config = replace(self.model.config, image_size=size or self.model.config.image_size)
        if config.image_size % (2 * config.patch_size):
            raise RecipeError(
                f"size {config.image_size} is no multiple of {2 * config.patch_size}, the side of "
                "what one image token sees"
            )
        prompts = SELF1EPrompts(self.tokenizer, config.prompt_style, config.image_tokens)
        cells = 2 * config.image_size // config.patch_size
        return SELF1ECollator(prompts, config.image_size, cells, self.names, self.weights.names)

    def dense_collator(self, size: int | None = None) -> SELF1ECollator:
        """The same, see ``dense_only``."""
        return dense_only(self.collator(size), self.weights.dense_names)

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """The same for sentences without pictures."""
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
        """See ``Trainable``. The authors' one adapter on the fused q, k and v of a vision layer is
        one on each of them here: each has an A of its own instead of a common one."""
        self.adapters = inject_lora(self.model.internvl.model, rank, alpha, dropout, targets)

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """Take the weights of a model folder, or of an InternVL in its authors' layout, whose sizes
        and tokenizer are taken as well. Raises WeightsError if they do not fit."""
        if model_type(directory) not in MODEL_TYPES:
            load_into(self.model, load_tensors(directory), directory)
            return ()
        self.model, self.tokenizer, anew = init_from_internvl(directory)
        width = self.model.config.language_channels
        self.dense_names = DenseCategoryHead(width, len(self.names))
        self.words = TextHeads(width, self.vocabulary)
        return anew

    def save(self, directory: Path, card: str) -> None:
        """Write config.json, tokenizer.json, model.safetensors (fp16) and README.md."""
        settings = {
            "architecture": "self1e",
            "config": asdict(self.model.config),
            "categories": {"names": self.names, "stuff": self.stuff},
        }
        save_folder(directory, merged_state_dict(self.model), settings, self.tokenizer.save, card)

    # Losses ------------------------------------------------------------------------------------

    def _conversations(self, seen: SELF1EFeatures, batch: SELF1EBatch) -> dict[str, Tensor]:
        read = self.model.run_language_model(seen, batch.conversations, batch.pictures)
        asked = self.model.build_queries(seen, read)
        answered = self.model.decode_masks(seen, batch.pictures, asked)
        masks = mask_losses(answered.pred_masks, low_masks(asked), batch.targets)
        losses = {
            "words": self.weights.words * words_loss(self.model, read),
            "bce": self.weights.bce * masks.bce,
            "dice": self.weights.dice * masks.dice,
        }
        if self.weights.sentence_class:
            value = self.words.meant(*_at_seg(read, batch.meant))
            losses["sentence_class"] = self.weights.sentence_class * value
        return losses

    def _sentences(self, batch: TextBatch) -> dict[str, Tensor]:
        """Reading before seeing: the words of a sentence and what they mean, after noise."""
        device = batch.meant.device
        seen = _noise(self.model.config.language_channels, device)
        pictures = torch.arange(len(batch.sequences), device=device) % _NOISE_PICTURES
        read = self.model.run_language_model(seen, batch.sequences, pictures)
        losses: dict[str, Tensor] = {}
        for place, before in (("read", 1), ("shown", 0)):
            owner, seg = read.rows.seg.nonzero(as_tuple=True)
            understood = self.words.understood(read.hidden[owner, seg - before], batch)
            losses |= {f"{name}_{place}": 0.5 * value for name, value in understood.items()}
        said = read.rows.ids.masked_fill(read.rows.image | read.rows.padding, -100)
        logits = self.model.internvl.lm_head(read.hidden)
        return losses | {"words_next": 0.2 * next_token_loss(logits, said)}


def _at_seg(read: SELF1ELanguageOutput, meant: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden states where ``[SEG]`` is told from and where image tokens read it (2M, D), and what
    each means (2M, names)."""
    owner, seg = read.rows.seg.nonzero(as_tuple=True)
    hidden = torch.cat([read.hidden[owner, seg - 1], read.hidden[owner, seg]])
    return hidden, meant[owner].repeat(2, 1)


def _noise(width: int, device: torch.device) -> SELF1EFeatures:
    """Pictures of nothing."""
    tokens = torch.randn(_NOISE_PICTURES, _NOISE_TOKENS, width, device=device) * _WORDS
    empty = torch.zeros(_NOISE_PICTURES, 0, device=device)
    return SELF1EFeatures(tokens, empty, empty, (1, 1))


@torch.no_grad()
def _start_afresh(model: SELF1E) -> None:
    """Random weights for narrow models. What the authors draw for new heads beside a trained model
    (N(0, 0.02)) would begin a miniature with logits of 1e-9; and its positions say from the start
    where a patch is, instead of nothing."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
    nn.init.normal_(model.internvl.get_input_embeddings().weight, std=_WORDS)
    tower = model.internvl.model.vision_tower
    for layer in tower.encoder.layer:
        layer.lambda_1.fill_(_BLOCKS)
        layer.lambda_2.fill_(_BLOCKS)
    positions = tower.embeddings.position_embeddings
    side = round((positions.shape[1] - 1) ** 0.5)
    where = coordinate_features(side, side, positions.device).flatten(1).T
    positions[:, 1:] = where @ torch.randn(where.shape[1], positions.shape[2]) * _PLACES
