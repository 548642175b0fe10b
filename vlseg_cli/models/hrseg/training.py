"""HRSeg as the training loop sees it: a batch goes in, weighted losses come out.

What a miniature learns with beside the paper's losses (names of pixels, meanings of sentences) has
weight 0 by default; inference is the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from vlseg_cli.models.checkpoint import part_names
from vlseg_cli.models.hrseg.collator import HRSegBatch, HRSegCollator, HRSegSupervision
from vlseg_cli.models.hrseg.config import OWN_SAM, HRSegConfig
from vlseg_cli.models.hrseg.criterion import Weighting, losses_per_text, picture_mean
from vlseg_cli.models.hrseg.modeling import HRSeg, HRSegFeatures
from vlseg_cli.models.hrseg.prompts import IGNORED, HRSegPrompts
from vlseg_cli.models.proposals.base import OpenProposer, ProposalOptions
from vlseg_cli.models.text_training import TextBatch, TextCollator, TextHeads
from vlseg_cli.models.training import Trainable, dense_only, parameters_by_part
from vlseg_cli.nn.auxiliary import DenseCategoryHead
from vlseg_cli.nn.high_resolution import join_windows
from vlseg_cli.nn.lora import inject_lora, merged_state_dict
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.sample import TextSample, TrainingVocabulary
from vlseg_cli.schema.tables import Count, Formerly, Natural, NonNegative
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.folder import TOKENIZER, load_into, load_settings, load_tensors, save_folder

_NOISE_PICTURES, _NOISE_TOKENS = 4, 4  # what sentences are read after, before there are pictures
# What a recipe says of a model whose sizes come with the weights that it begins with.
_CHOSEN = (
    *("view", "windows", "gamma", "pooled", "enhancement_layers", "mask_size"),
    *("proposals", "most_proposals", "selection", "top", "iop", "empty"),
)
_ADDITIONS = ("region_attention.", "enhancement.")  # what HRSeg has and LLM-Seg has not


@dataclass(frozen=True, slots=True)
class HRSegLosses:
    """Weights and choices of a recipe's [losses]; the defaults are the paper's (section 8)."""

    text: NonNegative = 1.0
    align: NonNegative = 1.0
    iop: NonNegative = 1.0
    weighting: Weighting = "weighted"
    names: Natural = 3  # how many of a picture's names are asked for, each by itself
    windows: tuple[Count, ...] = ()  # a batch's N is drawn from these; empty: the model's own
    # Auxiliary heads; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0


class TrainableHRSeg(Trainable):
    """HRSeg, its tokenizer and the auxiliary heads over ``names``.

    Raises RecipeError for a model that would propose by a SAM within: whoever proposes stays
    outside, so that its masks can be kept and its weights are not averaged and saved with the rest.
    And for windows to look at with a model that has none.
    """

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
                '[model.config] proposals = "sam" is for models that carry a SAM; name what is to '
                'propose masks, as "embedded" or "sam-vit-h"'
            )
        self.vocabulary, self.names = vocabulary, vocabulary.names
        self.weights = losses or HRSegLosses()
        if self.weights.windows and not config.windows:
            raise RecipeError(
                "[losses] windows are for a model that looks at windows: give [model.config]"
                " windows another number than 0"
            )
        self.hrseg, self.tokenizer = HRSeg(config), tokenizer
        self.dense_names = DenseCategoryHead(config.channels, len(self.names))
        self.words = TextHeads(config.language_channels, self.vocabulary)

    # The training loop's interface -------------------------------------------------------------

    def forward(self, batch: HRSegBatch | TextBatch) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimized."""
        if isinstance(batch, TextBatch):
            return self._sentences(batch)
        tokens = self.hrseg.encode_views(batch.views)
        losses: dict[str, Tensor] = {}
        if self.weights.dense_names:
            losses["dense_names"] = self.weights.dense_names * self._names(tokens, batch)
        if batch.lessons:
            perceived = self.hrseg.gather(tokens)
            seen = self.hrseg.encode_image(*batch.pictures, perceived, batch.masks)
            losses |= self._lessons(seen, batch.lessons)
        return losses

    def collator(self, size: int | None = None) -> HRSegCollator:  # noqa: ARG002
        """What turns samples into a batch. ``size`` is that of the scenes alone: how large the
        model looks at them is its own config's."""
        config = self.hrseg.config
        prompts = HRSegPrompts(self.tokenizer, config.prompt_style)
        windows = self.weights.windows or (config.windows,)
        return HRSegCollator(
            config, prompts, self.names, self.weights.names, windows, self._open_proposer
        )

    def choose_proposals(self, options: ProposalOptions, open_proposer: OpenProposer) -> None:  # noqa: ARG002
        """See ``TakesProposals``; a recipe's [model.config] names what proposes."""
        self._open_proposer = open_proposer

    def dense_collator(self, size: int | None = None) -> HRSegCollator:
        """The same, see ``dense_only``."""
        return dense_only(self.collator(size), self.weights.dense_names)

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """The same for sentences without pictures."""
        prompts = HRSegPrompts(self.tokenizer, self.hrseg.config.prompt_style)
        return TextCollator(prompts.question, self.vocabulary)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by part, as recipes name them; every parameter is in exactly one.

        'words' are embeddings and output head, 'lora' all adapters, 'selection' fusion and heads.
        """
        hrseg = self.hrseg
        llava = hrseg.llava.model
        parts: dict[str, list[nn.Module]] = {
            "clip": [llava.vision_tower],
            "projector": [llava.multi_modal_projector],
            "vocabulary": [llava.language_model.get_input_embeddings(), hrseg.lm_head],
            "language": [llava],
            "dino": [hrseg.dino],
            "perception": [
                hrseg.dino_projection,
                *(part for name, part in hrseg.named_children() if f"{name}." in _ADDITIONS),
            ],
            "selection": [hrseg],
            "auxiliary": [self.dense_names, self.words],
        }
        return {"lora": list(self.adapters), **parameters_by_part(parts, self.adapters)}

    def add_lora(self, rank: int, alpha: float, dropout: float, targets: Sequence[str]) -> None:
        """See ``Trainable``."""
        self.adapters = inject_lora(self.hrseg.llava.language, rank, alpha, dropout, targets)

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """Take the weights of a model folder with its sizes and its tokenizer; what HRSeg adds, and
        LLM-Seg's weights lack, begins anew. Raises WeightsError if they do not fit.
        """
        theirs = load_settings(directory)["config"]
        ours = {key: getattr(self.hrseg.config, key) for key in _CHOSEN}
        self.hrseg = HRSeg(HRSegConfig.from_dict({**theirs, **ours}))
        self.tokenizer = Tokenizer.load(directory / TOKENIZER)
        self.dense_names = DenseCategoryHead(self.hrseg.config.channels, len(self.names))
        self.words = TextHeads(self.hrseg.config.language_channels, self.vocabulary)
        tensors = {n: t for n, t in load_tensors(directory).items() if not n.startswith("sam.")}
        own = self.hrseg.state_dict()
        fresh = {n: t for n, t in own.items() if n.startswith(_ADDITIONS) and n not in tensors}
        load_into(self.hrseg, {**tensors, **fresh}, directory)
        return part_names(fresh)

    def save(self, directory: Path, card: str) -> None:
        """Write config.json, tokenizer.json, model.safetensors (fp16) and README.md."""
        settings = {"architecture": "hrseg", "config": asdict(self.hrseg.config)}
        save_folder(directory, merged_state_dict(self.hrseg), settings, self.tokenizer.save, card)

    # Losses ------------------------------------------------------------------------------------

    def _lessons(self, seen: HRSegFeatures, lessons: HRSegSupervision) -> dict[str, Tensor]:
        read = self.hrseg.run_language_model(seen, lessons.sequences, lessons.pictures)
        asked = self.hrseg.build_queries(read)
        answered = self.hrseg.decode_masks(seen, lessons.pictures, asked)
        each = losses_per_text(answered, lessons.iou, lessons.iop, self.weights.weighting)
        losses = {
            name: getattr(self.weights, name) * picture_mean(values, lessons.pictures)
            for name, values in each.items()
        }
        said = next_token_loss(self.hrseg.lm_head(read.hidden), lessons.labels)
        losses["text"] = self.weights.text * said
        if self.weights.sentence_class:
            value = self.words.meant(read.predicting, lessons.meant)
            losses["sentence_class"] = self.weights.sentence_class * value
        return losses

    def _names(self, tokens: Tensor, batch: HRSegBatch) -> Tensor:
        """Which name each token has: in the overview, and in the windows if there are any."""
        loss: Tensor = self.dense_names(tokens[:, 0].permute(0, 3, 1, 2), batch.names_far)
        if self.hrseg.config.windows:
            near = join_windows(tokens[:, 1:]).permute(0, 3, 1, 2)
            loss = (loss + self.dense_names(near, batch.names_near)) / 2
        return loss

    def _sentences(self, batch: TextBatch) -> dict[str, Tensor]:
        """Reading before seeing: the words of a sentence and what they mean, after noise."""
        device, width = batch.meant.device, self.hrseg.config.language_channels
        noise = torch.randn(_NOISE_PICTURES, _NOISE_TOKENS, width, device=device) * 0.1
        nothing = torch.zeros(_NOISE_PICTURES, 0, self.hrseg.config.channels, device=device)
        seen = HRSegFeatures(list(noise), nothing, nothing[..., 0] > 0)
        pictures = torch.arange(len(batch.sequences), device=device) % _NOISE_PICTURES
        read = self.hrseg.run_language_model(seen, batch.sequences, pictures)
        losses = self.words.understood(read.predicting, batch)
        places = torch.arange(read.ids.shape[1], device=device)
        ends = (read.condition == 0).int().argmax(1, keepdim=True)
        said = read.ids.masked_fill(places > ends, IGNORED)
        logits = self.hrseg.lm_head(read.hidden)
        return losses | {"words_next": 0.2 * next_token_loss(logits, said)}
