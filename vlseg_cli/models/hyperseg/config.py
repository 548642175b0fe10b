"""The sizes of a HyperSeg. The defaults are the published model; a miniature is other numbers.

What the paper describes and the published code lacks is a switch here: off for published weights,
on in our own recipes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlseg_cli.models.base import read_sizes
from vlseg_cli.models.hyperseg.prompts import CATEGORY_INSTRUCTION, REGION_INSTRUCTION, Style
from vlseg_cli.schema import WeightsError

RegionSource = Literal["tokens", "pixels"]


@dataclass(frozen=True, slots=True)
class HyperSegConfig:
    """HyperSeg sections 2-9. All sizes in channels, layers or pixels."""

    image_size: int = 1024
    # 1 see: Swin, SigLIP, the perceiver and the pixel decoder
    swin_embed: int = 128
    swin_depths: tuple[int, ...] = (2, 2, 18, 2)
    swin_heads: tuple[int, ...] = (4, 8, 16, 32)
    swin_window: int = 12
    swin_drop_path: float = 0.3
    clip_size: int = 384
    clip_patch: int = 14
    clip_channels: int = 1152
    clip_layers: int = 26  # those that are used; the published tower has one more
    clip_heads: int = 16
    clip_feedforward: int = 4304
    fine_tokens: int = 128
    fine_channels: int = 512
    fine_heads: int = 8
    fine_head_channels: int = 64
    pixel_channels: int = 256
    mask_channels: int = 256
    pixel_layers: int = 6
    pixel_heads: int = 8
    pixel_feedforward: int = 1024
    # 2 read: Phi-2
    language_channels: int = 2560
    language_layers: int = 32
    language_heads: int = 32
    language_feedforward: int = 10240
    vocabulary: int = 50296
    head_rows: int = 51200  # of the output head; rows beyond the vocabulary are never said
    positions: int = 2048
    rotary_factor: float = 0.4
    # 3 ask and 4 answer
    queries: int = 100
    decoder_layers: int = 9
    decoder_heads: int = 8
    decoder_feedforward: int = 2048
    # Default thresholds of the answers (section 9.2)
    panoptic_score: float = 0.8
    panoptic_overlap: float = 0.8
    instance_score: float = 0.5
    # Following things through a video (section 9.6)
    track_score: float = 0.2  # class score from which a thing is followed
    track_frames: int = 10  # out of sight, until it is forgotten
    # Wordings that no public file tells; {} is the list of marks (section 4.2)
    category_instruction: str = CATEGORY_INSTRUCTION
    region_instruction: str = REGION_INSTRUCTION
    # In the paper, not in the published code.
    conditional_weight: bool = False  # the perceiver weighs each scale by tanh(MLP)
    recognize_entities: bool = False  # say what is there before segmenting it
    talks: bool = True  # whether its language model was taught to answer in words
    prompt_frames: int = 1  # conditions are the mean over so many frames of a video
    # How the embedded miniature differs.
    prompt_style: Style = "hyperseg"
    coordinates: bool = False  # write x, y into the decoder's features
    single_queries: int | None = None  # mask tokens for one sentence or region; None: all
    region_source: RegionSource = "tokens"  # where regions are pooled from
    regions_together: bool = True  # all regions in one prompt, or each in its own
    region_memory: bool = False  # in a video, what a region looked like last counts

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "HyperSegConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for what cannot be a HyperSeg."""
        config = read_sizes(cls, values, "HyperSeg")
        if config.image_size % 32:
            raise WeightsError(f"HyperSeg's image_size is {config.image_size}, no multiple of 32")
        if (config.single_queries or 0) > config.queries:
            raise WeightsError(
                f"HyperSeg's single_queries are {config.single_queries}, more than its "
                f"{config.queries} queries"
            )
        head = config.language_channels // config.language_heads
        if int(head * config.rotary_factor) % 2:
            raise WeightsError(
                f"HyperSeg's rotary_factor of {config.rotary_factor} turns an odd number of a "
                f"head's {head} channels: they turn in pairs"
            )
        if config.head_rows < config.vocabulary:
            raise WeightsError(
                f"HyperSeg's head_rows are {config.head_rows}, fewer than its vocabulary of "
                f"{config.vocabulary}"
            )
        return config
