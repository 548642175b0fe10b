"""MVP-LM in training: losses of a batch, parameter groups, initialization from a model folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from vlseg_cli.models.mask2former.criterion import averaged_counts
from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.mask2former.training import MaskTrainable
from vlseg_cli.models.mvp_lm.collator import MVPLMBatch, MVPLMCollator, MVPLMPromptBatch
from vlseg_cli.models.mvp_lm.criterion import (
    TargetCounts,
    all_losses,
    count_targets,
    selection_loss,
)
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.mvp_lm.prompts import MVPLMPrompts
from vlseg_cli.models.text_training import (
    IMAGE_PLACEHOLDERS,
    TextBatch,
    TextCollator,
)
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.mask_dino import denoising_queries
from vlseg_cli.schema.sample import TextSample
from vlseg_cli.schema.tables import Formerly, Fraction, Natural, NonNegative
from vlseg_cli.text.placeholders import ConditionKind


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
    # Least and most names of a prompt (all if empty), and panoptic prompts that become instances.
    list_lengths: Annotated[tuple[int, ...], Formerly("listed_names")] = ()
    instance_fraction: Annotated[Fraction, Formerly("instances")] = 0.0
    # Auxiliary losses; 0 leaves them unused.
    dense_names: NonNegative = 0.0
    sentence_class: Annotated[NonNegative, Formerly("meant_names")] = 0.0
    selection: NonNegative = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for lengths that are no range."""
        lengths = self.list_lengths
        if lengths and (len(lengths) != 2 or not 1 <= lengths[0] <= lengths[1]):
            raise ValueError(
                f"list_lengths is {[*lengths]}; give the least and the most names of a list, as in"
                " [80, 120]"
            )


class TrainableMVPLM(MaskTrainable):
    """See ``Trainable``."""

    architecture = "mvp-lm"
    network = MVPLM
    model: MVPLM

    def noise_features(self, device: torch.device) -> ImageFeatures:
        """See ``MaskTrainable``."""
        return ImageFeatures.noise(IMAGE_PLACEHOLDERS, self.model.config, device)

    def losses_of_batch(self, batch: MVPLMBatch) -> dict[str, Tensor]:
        """See ``MaskTrainable``."""
        image_features = self.model.encode_image(batch.pixel_values)
        kinds = {
            "everything": (batch.everything, ConditionKind.CATEGORY),
            "things": (batch.things, ConditionKind.CATEGORY),
            "sentences": (batch.sentences, ConditionKind.SENTENCE),
        }
        each = [count_targets(prompts.targets if prompts else ()) for prompts, _ in kinds.values()]
        averaged = averaged_counts([number for pair in each for number in pair])
        losses: dict[str, Tensor] = {}
        for index, (name, (prompts, kind)) in enumerate(kinds.items()):
            counts = TargetCounts(*averaged[2 * index : 2 * index + 2])
            if prompts:
                losses |= self._prompt_losses(
                    image_features, prompts, kind, name, counts, batch.category_shares
                )
        return losses | self.dense_loss(image_features, batch.semantic)

    def collator(self, size: int | None = None) -> MVPLMCollator:
        """See ``Trainable``."""
        config = self.model.config
        return MVPLMCollator(
            MVPLMPrompts(self.tokenizer, config.prompt_style, config.summary_token),
            size or config.image_size,
            self.sampling,
            config.queries if config.prompt_style == "released" else 1,
            self.names,
            self.weights.list_lengths,
            self.weights.instance_fraction,
        )

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """See ``Trainable``."""
        return TextCollator(MVPLMPrompts(self.tokenizer, "plain").sentence, self.vocabulary)

    def parts(self) -> dict[str, list[nn.Module]]:
        """See ``MaskTrainable``."""
        model = self.model
        return {
            "vision": [model.vision_tower],
            "connector": [model.connector],
            "language": [model.language, model.lm_head],
            "pixel_decoder": [model.pixel_decoder],
            "decoder": [model.selection, model.decoder, model.mask_head],
        }

    def _prompt_losses(
        self,
        image_features: ImageFeatures,
        prompts: MVPLMPromptBatch,
        kind: ConditionKind,
        name: str,
        counts: TargetCounts,
        category_shares: Tensor,
    ) -> dict[str, Tensor]:
        """All losses of the prompts of one kind, under its name."""
        model, stuff, image_index = self.model, name == "everything", prompts.image_index
        output = model.run_language_model(image_features, prompts.sequences, image_index)
        instruction = model.pool(output)
        queries = model.build_queries(image_features, image_index, instruction, kind, stuff)
        noise = None
        if kind is ConditionKind.CATEGORY and self.weights.denoising:
            boxes, labels = ([getattr(t, k) for t in prompts.targets] for k in ("boxes", "labels"))
            noise = denoising_queries(queries.conditions, boxes, labels, self.weights.denoising)
        mask_output = model.decode_masks(image_features, image_index, queries, kind, True, noise)
        stages = all_losses(
            mask_output,
            noise,
            prompts.targets,
            kind,
            self.sampling,
            counts,
            queries.locations.shape[1] if stuff else None,
            self.weights.no_object_weight,
        )
        losses = {
            f"{name}_{loss}": getattr(self.weights, loss)
            * torch.stack([stage[loss] for stage in stages if loss in stage]).sum()
            for loss in stages[0]
        }
        if self.weights.language and bool((prompts.labels >= 0).any()):
            language = next_token_loss(model.lm_head(output.hidden), prompts.labels)
            losses[f"{name}_language"] = self.weights.language * language
        if self.weights.selection:
            projected, valid = model.project(image_features, kind)
            memory = image_features.pixels.memory
            value = selection_loss(projected[image_index], valid, memory, queries, prompts.targets)
            losses[f"{name}_selection"] = self.weights.selection * value
        if kind is ConditionKind.SENTENCE:
            losses |= self.sentence_class_loss(output, category_shares)
        return losses
