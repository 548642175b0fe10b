"""The sizes of a SELF1E. The defaults are the published 2B model; a miniature has other numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from vlseg_cli.models.base import read_sizes
from vlseg_cli.models.self1e.prompts import Style
from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.tables import Formerly

Language = Literal["qwen2", "qwen3"]
_TOKEN = 2  # patches per side of an image token


@dataclass(frozen=True, slots=True, kw_only=True)
class SELF1EConfig:
    """SELF1E section 2. All sizes in channels, layers or pixels."""

    image_size: int = 448
    max_tiles: int = 1  # above 1: high resolution, in up to this many squares
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
    # The authors pad with 0 and mask that id everywhere, although it is Qwen's '!'.
    padding: int = 0
    max_new_tokens: Annotated[int, Formerly("answer_tokens")] = 256  # of generated text
    # Not in published checkpoints: the short wording of a miniature.
    prompt_style: Style = "self1e"

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
