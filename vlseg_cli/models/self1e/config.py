"""The sizes of a SELF1E. The defaults are the published 2B model; a miniature is other numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlseg_cli.models.base import read_sizes
from vlseg_cli.models.self1e.prompts import Style
from vlseg_cli.schema import WeightsError

Language = Literal["qwen2", "qwen3"]
_TOKEN = 2  # patches per side of an image token


@dataclass(frozen=True, slots=True)
class SELF1EConfig:
    """SELF1E section 2. All sizes in channels, layers or pixels."""

    image_size: int = 448
    max_tiles: int = 1  # above 1: high resolution, cut into up to so many squares
    # InternViT
    patch_size: int = 14
    vision_channels: int = 1024
    vision_layers: int = 24
    vision_heads: int = 16
    vision_feedforward: int = 4096
    # Qwen
    language: Language = "qwen2"
    language_channels: int = 1536
    language_layers: int = 28
    language_heads: int = 12
    language_kv_heads: int = 2
    language_head_channels: int = 128
    language_feedforward: int = 8960
    vocabulary: int = 151676
    positions: int = 32768
    rope_theta: float = 1e6
    # The authors pad with 0 and hide that id wherever it stands, although it is Qwen's '!'.
    padding: int = 0
    answer_tokens: int = 256  # at most so many when it answers in words
    # Not in published checkpoints: how a miniature differs.
    prompt_style: Style = "self1e"

    @property
    def image_tokens(self) -> int:
        """Tokens of one tile that the language model reads."""
        return (self.image_size // self.patch_size // _TOKEN) ** 2

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SELF1EConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for what cannot be a SELF1E."""
        config = read_sizes(cls, values, "SELF1E")
        check_image_size(config, config.image_size)
        return config


def check_image_size(config: SELF1EConfig, size: int) -> None:
    """Raise WeightsError for a side in px that cannot be cut into whole image tokens."""
    if size % (_TOKEN * config.patch_size):
        raise WeightsError(
            f"SELF1E's image_size is {size}, no multiple of {_TOKEN * config.patch_size}"
        )
