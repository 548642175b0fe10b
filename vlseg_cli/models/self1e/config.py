"""The sizes of a SELF1E. The defaults are the published 2B model; a miniature has other numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Interval

from vlseg_cli.models.base import (
    Channels,
    Layers,
    Pixels,
    Tokens,
    check_grids,
    check_multiples,
    read_sizes,
)
from vlseg_cli.models.self1e.prompts import Style
from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.tables import Formerly, Natural, Positive

Tiles = Annotated[int, Interval(ge=1, le=64)]
Language = Literal["qwen2", "qwen3"]
_TOKEN = 2  # patches per side of an image token


@dataclass(frozen=True, slots=True, kw_only=True)
class SELF1EConfig:
    """SELF1E section 2. All sizes in channels, layers or pixels."""

    image_size: Pixels = 448
    max_tiles: Tiles = 1  # above 1: high resolution, in up to this many squares
    # InternViT
    patch_size: Pixels = 14
    vision_channels: Channels = 1024
    vision_layers: Layers = 24
    vision_heads: Channels = 16
    vision_feedforward: Channels = 4096
    # Qwen
    language: Language = "qwen2"
    language_channels: Channels = 1536
    language_layers: Layers = 28
    language_heads: Channels = 12
    language_kv_heads: Channels = 2
    language_head_channels: Channels = 128
    language_feedforward: Channels = 8960
    vocabulary: Tokens = 151676
    positions: Tokens = 32768
    rope_theta: Positive = 1e6
    # The authors pad with 0 and mask that id everywhere, although it is Qwen's '!'.
    padding: Natural = 0
    max_new_tokens: Annotated[Tokens, Formerly("answer_tokens")] = 256  # of generated text
    # Not in published checkpoints: the short wording of a miniature.
    prompt_style: Style = "self1e"

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that no model can have together."""
        check_multiples(self, vision_channels="vision_heads", language_heads="language_kv_heads")
        check_grids(self, image_size="patch_size")
        if self.language_head_channels % 2:
            raise ValueError(
                f"language_head_channels = {self.language_head_channels} is odd: they turn in pairs"
            )
        if self.padding >= self.vocabulary:
            raise ValueError(f"padding = {self.padding} is no id of {self.vocabulary} tokens")

    @property
    def image_tokens(self) -> int:
        """Image tokens of one tile."""
        return (self.image_size // self.patch_size // _TOKEN) ** 2

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SELF1EConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for unknown keys and bad values."""
        config = read_sizes(cls, values, "SELF1E")
        check_image_size(config, config.image_size)
        return config


def check_image_size(config: SELF1EConfig, size: int) -> None:
    """Raise WeightsError for a side in px that cannot be cut into whole image tokens."""
    if size % (_TOKEN * config.patch_size):
        raise WeightsError(
            f"SELF1E's image_size is {size}, no multiple of {_TOKEN * config.patch_size}"
        )
