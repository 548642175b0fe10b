"""The sizes of a PSALM. The defaults are the published model; a miniature is other numbers.

Switches that no published checkpoint uses say so; they default to what the paper's code does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlseg_cli.models.base import read_sizes
from vlseg_cli.models.psalm.prompts import Style
from vlseg_cli.schema import WeightsError

RegionSource = Literal["tokens", "pixels"]


@dataclass(frozen=True, slots=True)
class PSALMConfig:
    """PSALM sections 2-6. All sizes in channels, layers or pixels."""

    image_size: int = 1024
    # 1 see: Swin and its connector
    swin_embed: int = 128
    swin_depths: tuple[int, ...] = (2, 2, 18, 2)
    swin_heads: tuple[int, ...] = (4, 8, 16, 32)
    swin_window: int = 12
    swin_drop_path: float = 0.3
    connector_width: int = 2048
    connector_stride: int = 2
    pixel_channels: int = 256
    mask_channels: int = 256
    pixel_layers: int = 6
    pixel_heads: int = 8
    pixel_feedforward: int = 1024
    # 2 read: Phi
    language_channels: int = 2048
    language_layers: int = 24
    language_heads: int = 32
    language_feedforward: int = 8192
    vocabulary: int = 50297
    positions: int = 2048
    rotary_factor: float = 0.5
    # 3 ask and 4 answer
    queries: int = 100
    decoder_layers: int = 9
    decoder_heads: int = 8
    decoder_feedforward: int = 2048
    # Default thresholds of the answers (section 7)
    panoptic_score: float = 0.8
    panoptic_overlap: float = 0.8
    instance_score: float = 0.5
    # Through time: the least score of a sentence's mask, the least likeness of a followed thing
    video_score: float = 0.3
    likeness: float = 0.8
    # Not in published checkpoints: how the embedded miniature differs.
    prompt_style: Style = "psalm"
    coordinates: bool = False  # write x, y into the decoder's features
    single_queries: int | None = None  # mask tokens for one sentence or region; None: all
    region_source: RegionSource = "tokens"  # where regions are pooled from
    regions_together: bool = True  # all regions in one prompt, or each in its own
    talks: bool = True  # whether its language model was taught to answer in words

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PSALMConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for what cannot be a PSALM."""
        config = read_sizes(cls, values, "PSALM")
        if config.image_size % 32:
            raise WeightsError(f"PSALM's image_size is {config.image_size}, no multiple of 32")
        if (config.single_queries or 0) > config.queries:
            raise WeightsError(
                f"PSALM's single_queries are {config.single_queries}, more than its "
                f"{config.queries} queries"
            )
        return config
