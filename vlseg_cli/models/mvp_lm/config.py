"""The sizes of an MVP-LM. The defaults are what the authors' code builds; a miniature is other
numbers.

With a summary token it is the model of the paper (caption, then ``<PER>``, base queries); without
one it is what the released code computes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlseg_cli.models.base import read_sizes
from vlseg_cli.models.mvp_lm.prompts import Style
from vlseg_cli.schema import WeightsError


@dataclass(frozen=True, slots=True)
class MVPLMConfig:
    """MVP-LM sections 3-7. All sizes in channels, layers or pixels."""

    image_size: int = 1024
    # 1 see: Swin, its connector and the pixel decoder
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
    pixel_feedforward: int = 2048
    # 2 read: Phi
    language_channels: int = 2048
    language_layers: int = 24
    language_heads: int = 32
    language_feedforward: int = 8192
    vocabulary: int = 50297
    positions: int = 2048
    rotary_factor: float = 0.5
    names_together: int = 599  # longer lists of names are read each name by itself
    # 3 ask and 4 answer
    queries: int = 100
    sentence_queries: int | None = None  # places for a sentence; None: as many as for names
    stuff_queries: int = 100
    decoder_layers: int = 9
    decoder_heads: int = 8
    decoder_feedforward: int = 2048
    # The paper's part: id of <PER>; None for the released code. caption_tokens: at most so many.
    prompt_style: Style = "released"
    summary_token: int | None = None
    caption_tokens: int = 128
    # Default thresholds of the answers (section 7)
    panoptic_score: float = 0.1
    panoptic_overlap: float = 0.8
    instance_score: float = 0.5
    sentence_score: float = 0.6
    # Not in the authors' model: how a miniature differs.
    coordinates: bool = False  # write x, y into the decoder's features

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MVPLMConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for what cannot be an MVP-LM."""
        config = read_sizes(cls, values, "MVP-LM")
        if config.image_size % 32:
            raise WeightsError(f"MVP-LM's image_size is {config.image_size}, no multiple of 32")
        if (config.sentence_queries or 0) > config.queries:
            raise WeightsError(
                f"MVP-LM's sentence_queries are {config.sentence_queries}, more than its "
                f"{config.queries} queries"
            )
        token, rows = config.summary_token, config.vocabulary
        if token is not None and not 0 <= token < rows:
            raise WeightsError(f"MVP-LM's summary_token is {token}, outside its {rows} tokens")
        return config
