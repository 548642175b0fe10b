"""PSALM as the training loop sees it; the losses stand in ``mask2former/training.py``."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from vlseg_cli.models.checkpoint import part_names
from vlseg_cli.models.mask2former.collator import MaskBatch, MaskCollator
from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.mask2former.training import Mask2FormerTrainable
from vlseg_cli.models.psalm.conversion import base_tensors, is_base
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts, psalm_prompts
from vlseg_cli.models.text_training import IMAGE_PLACEHOLDERS, TextBatch, TextCollator
from vlseg_cli.schema.sample import TextSample


class TrainablePSALM(Mask2FormerTrainable):
    """See ``Trainable``."""

    architecture = "psalm"
    network = PSALM
    model: PSALM

    def collator(self, size: int | None = None) -> MaskCollator:
        """See ``Trainable``."""
        config = self.model.config
        prompts = psalm_prompts(self.tokenizer, config)
        side = size or config.image_size
        return MaskCollator(prompts, side, self.sampling, self.names, config.regions_together)

    def text_collator(self) -> Callable[[Sequence[TextSample]], TextBatch]:
        """See ``Trainable``."""
        prompts = PSALMPrompts(self.tokenizer, "plain", 1, 1)
        return TextCollator(prompts.sentence, self.vocabulary)

    def parts(self) -> dict[str, list[nn.Module]]:
        """See ``MaskTrainable``."""
        model = self.model
        return {
            "vision": [model.vision_tower],
            "connector": [model.connector],
            "language": [model.language, model.lm_head],
            "pixel_decoder": [model.pixel_decoder],
            "mask_decoder": [model.mask_decoder],
        }

    def init_from(self, directory: Path) -> tuple[str, ...]:
        """See ``Trainable``; also from the parts that a base has (Mask2Former's file)."""
        if not is_base(directory):
            return super().init_from(directory)
        tensors = base_tensors(self.model, directory)
        self.model.load_state_dict(tensors, strict=False)
        loaded = part_names(tensors)
        return tuple(part for part in part_names(self.model.state_dict()) if part not in loaded)

    def encode_batch(self, batch: MaskBatch) -> ImageFeatures:
        """Step 1."""
        return self.model.encode_image(batch.pixel_values)

    def noise_features(self, device: torch.device) -> ImageFeatures:
        """See ``MaskTrainable``."""
        return ImageFeatures.noise(IMAGE_PLACEHOLDERS, self.model.config, device)

    def tokens_after_image(self) -> int:
        """None: image tokens end the prefix."""
        return 0
