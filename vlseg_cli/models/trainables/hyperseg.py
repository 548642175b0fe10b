"""HyperSeg as the training loop sees it: pictures, clips and words.

A clip is learned moment by moment along the chain that a video session follows: what was read of
one frame's fine-grained tokens is what the next frame is asked with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from vlseg_cli.models.batches.hyperseg import (
    ClipBatch,
    ClipCollator,
    HyperSegBatch,
    HyperSegCollator,
)
from vlseg_cli.models.batches.psalm import Prompts
from vlseg_cli.models.hyperseg import HyperSeg, Seen
from vlseg_cli.models.losses.hyperseg_instances import (
    Recognised,
    box_loss,
    contrast_losses,
    recognise,
)
from vlseg_cli.models.losses.weights import PromptLosses
from vlseg_cli.models.steps import Prefix, Read
from vlseg_cli.models.trainables.prompted import PromptedTrainable
from vlseg_cli.models.trainables.words import PICTURES, WordsBatch, WordsCollator
from vlseg_cli.nn.losses import next_token_loss
from vlseg_cli.nn.pixel_decoder import PixelFeatures
from vlseg_cli.prompts.hyperseg import hyperseg_prompts
from vlseg_cli.prompts.placeholders import Placeholder
from vlseg_cli.schema.tables import NonNegative
from vlseg_cli.worlds.text import TextExercise

_UNSAID = -100  # a position whose next word is not learned


@dataclass(frozen=True, slots=True)
class HyperSegLosses(PromptLosses):
    """Beside those of masks and conditions; the defaults are the paper's.

    text: of words the model says itself, of entities and of answers. contrast, alike: of things
    seen in two frames. instance_boxes: of the box head.
    """

    text: NonNegative = 1.0
    contrast: NonNegative = 1.0
    alike: NonNegative = 1.0
    instance_boxes: NonNegative = 1.0


class TrainableHyperSeg(PromptedTrainable[HyperSeg]):
    """See ``Trainable``."""

    architecture = "hyperseg"
    weights: HyperSegLosses

    # The training loop's interface --------------------------------------------------------------

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Named, weighted losses; their plain sum is what is minimised."""
        return self._clip(batch) if isinstance(batch, ClipBatch) else super().forward(batch)

    def collator(self, size: int | None = None) -> HyperSegCollator:
        """What turns samples into a batch, free of weights. ``size``: side of Swin's input, px."""
        config = self.model.config
        return HyperSegCollator(
            hyperseg_prompts(self.tokenizer, config),
            size or config.image_size,
            self.sampling,
            self.names,
            config.regions_together,
            clip_size=config.clip_size,
            squashed=config.region_source == "tokens",
            entities=config.recognise_entities,
            talking=bool(self.weights.text),
        )

    def clips_collator(self, size: int | None = None) -> ClipCollator:
        """The same for moments of clips; words alone are learned from pictures."""
        return ClipCollator(replace(self.collator(size), video=True, talking=False))

    def words_collator(self) -> Callable[[Sequence[TextExercise]], WordsBatch]:
        """The same for sentences without pictures."""
        prompts = hyperseg_prompts(self.tokenizer, self.model.config)
        return WordsCollator(prompts.sentence, self.names)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Parts by name."""
        model = self.model
        return {
            "vision": [model.vision_tower],
            "clip_vision": [model.clip_tower],
            "connector": [model.connector],
            "perceiver": [model.perceiver],
            "language": [model.language.layers, model.language.final_layernorm],
            "vocabulary": [model.language.embed_tokens, model.lm_head],
            "pixel_decoder": [model.pixel_decoder],
            "mask_decoder": [model.mask_decoder],
            "instance_heads": [model.instance_heads],
        }

    # What differs from PSALM --------------------------------------------------------------------

    def see(self, batch: HyperSegBatch, carried: Tensor | None = None) -> Seen:
        """Step 1."""
        return self.model.see(batch.pixel_values, batch.clip_values, carried)

    def noise(self, device: torch.device) -> Seen:
        """Pictures of nothing, with as many tokens as real ones have."""
        config, side = self.model.config, self.model.clip_tower.side
        width = config.language_channels
        tokens = torch.randn(PICTURES, width, side, side, device=device) * 0.5
        fine = torch.randn(PICTURES, config.fine_tokens, width, device=device) * 0.5
        empty = torch.zeros(PICTURES, 0, device=device)
        return Seen((), PixelFeatures(empty, ()), tokens, fine)

    def prefix_of(self, seen: Seen, prompts: Prompts) -> Prefix:
        """Words, picture and fine-grained tokens."""
        return self.model.read_prefix(seen, prompts.sequences[0])

    def tokens_end(self) -> int:
        """Fine-grained tokens follow the picture."""
        between = self.collator().prompts.regions(1).between or ()
        return self.model.config.fine_tokens + len(between)

    def regions_of(self, seen: Seen, prompts: Prompts) -> Tensor | None:
        """Region vectors, of the pictures in which they were drawn."""
        if prompts.regions is None:
            return None
        counts = torch.tensor([one.conditions for one in prompts.sequences])
        owner = prompts.pictures.repeat_interleave(counts.to(prompts.pictures.device))
        return self.model.region_vectors(seen, owner, prompts.regions)

    def losses_of(self, seen: Any, batch: Any, origin: Any = None) -> tuple[dict[str, Tensor], Any]:
        """Everything PSALM learns, and words."""
        losses, named = super().losses_of(seen, batch, origin)
        if batch.talks:
            read = self.model.read(seen, batch.talks, batch.talked)
            losses["text_answers"] = self.weights.text * self._text(read, batch.answers)
        return losses, named

    def read_names(self, seen: Seen, prompts: Prompts) -> tuple[Read, dict[str, Tensor]]:
        """Categories, and the names of those that are there, which the model says first."""
        read, losses = super().read_names(seen, prompts)
        if prompts.said:
            losses["text_entities"] = self.weights.text * self._text(read, prompts.said)
        return read, losses

    def _text(self, read: Read, counts: Sequence[int]) -> Tensor:
        """Next-token loss of so many tokens before each row's mask tokens or end."""
        real = (read.ids == Placeholder.QUERIES).int()
        ends = [
            int(row.argmax()) if row.any() else int((ids != 0).nonzero()[-1]) + 1
            for row, ids in zip(real, read.ids, strict=True)
        ]
        labels = torch.full_like(read.ids, _UNSAID)
        for row, (end, count) in enumerate(zip(ends, counts, strict=True)):
            labels[row, end - count : end] = read.ids[row, end - count : end]
        return next_token_loss(self.model.lm_head(read.hidden), labels)

    # Clips --------------------------------------------------------------------------------------

    def _clip(self, batch: ClipBatch) -> dict[str, Tensor]:
        """The mean over the moments of everything, and what ties the moments together."""
        total: dict[str, Tensor] = {}
        seen: Seen | None = None
        known: Recognised | None = None
        carried: Tensor | None = None
        prompts = self.clips_collator().collator.prompts
        for frame, things in zip(batch.frames, batch.things, strict=True):
            before, seen = seen, self.see(frame, carried)
            losses, named = self.losses_of(seen, frame, before)
            if named is not None and frame.categories is not None:
                now = recognise(self.model, named, frame.categories, things, self.sampling)
                losses |= self._things(known, now)
                known = now
            for name, loss in losses.items():
                total[name] = total.get(name, loss.new_zeros(())) + loss / len(batch.frames)
            wording: Any = prompts
            carried = self.model.carry(seen, wording.regions(1, video=True))
        return total

    def _things(self, before: Recognised | None, now: Recognised) -> dict[str, Tensor]:
        losses = {"instance_boxes": self.weights.instance_boxes * box_loss(now)}
        if before is not None:
            contrast, alike = contrast_losses(before, now)
            losses["instance_contrast"] = self.weights.contrast * contrast
            losses["instance_alike"] = self.weights.alike * alike
        return losses
