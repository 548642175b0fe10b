"""PSALM as the training loop sees it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from vlseg_cli.models.batches.psalm import Prompts, PSALMBatch, PSALMCollator
from vlseg_cli.models.official.psalm_bases import base_tensors, is_base
from vlseg_cli.models.psalm import PSALM, Seen
from vlseg_cli.models.shared_parts import part_names
from vlseg_cli.models.steps import Prefix
from vlseg_cli.models.trainables.prompted import PromptedTrainable
from vlseg_cli.models.trainables.words import PICTURES, WordsBatch, WordsCollator
from vlseg_cli.prompts.psalm import PSALMPrompts
from vlseg_cli.worlds.text import TextExercise


class TrainablePSALM(PromptedTrainable[PSALM]):
    """See ``Trainable``."""

    architecture = "psalm"

    def collator(self, size: int | None = None) -> PSALMCollator:
        """What turns samples into a batch, free of weights. ``size``: input side, px."""
        config = self.model.config
        single = config.single_queries or config.queries
        prompts = PSALMPrompts(self.tokenizer, config.prompt_style, config.queries, single)
        side = size or config.image_size
        together = config.regions_together
        return PSALMCollator(prompts, side, self.sampling, self.names, together)

    def words_collator(self) -> Callable[[Sequence[TextExercise]], WordsBatch]:
        """The same for sentences without pictures."""
        prompts = PSALMPrompts(self.tokenizer, "plain", 1, 1)
        return WordsCollator(prompts.sentence, self.names)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Parts by name."""
        model = self.model
        return {
            "vision": [model.vision_tower],
            "connector": [model.connector],
            "language": [model.language, model.lm_head],
            "pixel_decoder": [model.pixel_decoder],
            "mask_decoder": [model.mask_decoder],
        }

    def begin_with(self, directory: Path) -> tuple[str, ...]:
        """Take the weights of a model folder, or the part that a base has (Mask2Former's file)."""
        if not is_base(directory):
            return super().begin_with(directory)
        tensors = base_tensors(self.model, directory)
        self.model.load_state_dict(tensors, strict=False)
        begun = part_names(tensors)
        return tuple(part for part in part_names(self.model.state_dict()) if part not in begun)

    def see(self, batch: PSALMBatch) -> Seen:
        """Step 1."""
        seen: Seen = self.model.see(batch.pixel_values)
        return seen

    def noise(self, device: torch.device) -> Seen:
        """Pictures of nothing."""
        return Seen.noise(PICTURES, self.model.config, device)

    def prefix_of(self, seen: Seen, prompts: Prompts) -> Prefix:
        """Words and picture."""
        return seen.prefixes[prompts.sequences[0].prefix]

    def tokens_end(self) -> int:
        """The picture comes last."""
        return 0
