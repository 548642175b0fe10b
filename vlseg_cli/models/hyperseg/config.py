"""The sizes of a HyperSeg. The defaults are the published model; a miniature has other numbers.

What the paper describes and the published code lacks is a switch here: off for published weights,
on in our own recipes.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from transformers import SiglipVisionConfig

from vlseg_cli.models.base import (
    Channels,
    Layers,
    Pixels,
    Tokens,
    check_grids,
    check_multiples,
)
from vlseg_cli.models.hyperseg.prompts import CATEGORY_INSTRUCTION, REGION_INSTRUCTION, Style
from vlseg_cli.models.mask2former.config import MaskModelConfig, RegionSource
from vlseg_cli.schema.tables import Formerly, Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperSegConfig(MaskModelConfig):
    """HyperSeg sections 2-9. Sizes in channels, layers or pixels."""

    system: ClassVar[str] = "HyperSeg"

    # Step 1: SigLIP and the fine-grained perceiver
    clip_size: Pixels = 384
    clip_patch: Pixels = 14
    clip_channels: Channels = 1152
    clip_layers: Layers = 26  # those that run; the published tower has one more
    clip_heads: Channels = 16
    clip_feedforward: Channels = 4304
    fine_tokens: Tokens = 128
    fine_channels: Channels = 512
    fine_heads: Channels = 8
    fine_head_channels: Channels = 64
    # Step 2: Phi-2
    language_channels: Channels = 2560
    language_layers: Layers = 32
    language_feedforward: Channels = 10240
    vocabulary: Tokens = 50296
    head_rows: Tokens = 51200  # of the output head; rows beyond the vocabulary are never generated
    rotary_factor: Fraction = 0.4
    # Tracking (section 9.6): least class score of a tracked object, frames until it is forgotten
    track_score: float = 0.2
    track_frames: Tokens = 10
    # Instructions that no public file contains; {} is the list of placeholders (section 4.2)
    category_instruction: str = CATEGORY_INSTRUCTION
    region_instruction: str = REGION_INSTRUCTION
    # In the paper, not in the published code
    conditional_weight: bool = False  # the perceiver weights each scale by tanh(MLP)
    # Names of present categories are generated before the masks.
    recognize_entities: Annotated[bool, Formerly("recognise_entities")] = False
    prompt_frames: Tokens = 1  # conditions are the mean over this many frames of a video
    # Whether the language model was trained to generate text.
    generates_text: Annotated[bool, Formerly("talks")] = True
    # How a miniature differs
    prompt_style: Style = "hyperseg"
    single_queries: Tokens | None = None  # mask tokens for one sentence or region; None: all
    region_source: RegionSource = "tokens"  # features that regions are pooled from
    regions_together: bool = True  # all regions in one prompt, or one prompt per region
    region_memory: bool = False  # in a video, region features come from the last clear mask

    def __post_init__(self) -> None:
        """See ``MaskModelConfig``."""
        MaskModelConfig.__post_init__(self)
        check_multiples(self, clip_channels="clip_heads")
        check_grids(self, clip_size="clip_patch")

    def problem(self) -> str | None:
        """See ``MaskModelConfig``."""
        head = self.language_channels // self.language_heads
        if int(head * self.rotary_factor) % 2:
            return (
                f"rotary_factor of {self.rotary_factor} turns an odd number of a head's {head} "
                "channels: they turn in pairs"
            )
        if self.head_rows < self.vocabulary:
            return f"head_rows are {self.head_rows}, fewer than its vocabulary of {self.vocabulary}"
        return MaskModelConfig.problem(self) or self.too_many_queries("single_queries")

    def siglip_config(self) -> SiglipVisionConfig:
        """The second vision encoder."""
        return SiglipVisionConfig(
            image_size=self.clip_size,
            patch_size=self.clip_patch,
            hidden_size=self.clip_channels,
            num_hidden_layers=self.clip_layers,
            num_attention_heads=self.clip_heads,
            intermediate_size=self.clip_feedforward,
            vision_use_head=False,
        )
