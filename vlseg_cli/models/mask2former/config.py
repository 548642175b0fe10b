"""The sizes that PSALM, HyperSeg and MVP-LM have in common: a Swin, a Phi and a mask decoder.

Files and recipes hold flat keys; the modules of ``nn`` take the configs of transformers, which are
made here. Defaults are PSALM's published sizes; the systems' own configs override and add.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from annotated_types import Interval

from vlseg_cli.models.base import Channels, Layers, Pixels, Tokens, check_multiples, read_sizes
from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.tables import Fraction

if TYPE_CHECKING:
    from transformers import Mask2FormerConfig, PhiConfig, SwinConfig

RegionSource = Literal["tokens", "pixels"]
Stride = Annotated[int, Interval(ge=1, le=64)]
Window = Annotated[int, Interval(ge=1, le=24)]  # each layer holds an index of window ** 4 numbers
Depth = Annotated[int, Interval(ge=1, le=64)]  # layers of a stage of Swin


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskModelConfig:
    """Sizes in channels, layers or pixels."""

    system: ClassVar[str]  # its name in messages

    image_size: Pixels = 1024
    # Step 1: Swin and the pixel decoder
    swin_embed: Channels = 128
    swin_depths: tuple[Depth, Depth, Depth, Depth] = (2, 2, 18, 2)
    swin_heads: tuple[Channels, Channels, Channels, Channels] = (4, 8, 16, 32)
    swin_window: Window = 12
    swin_drop_path: Fraction = 0.3
    pixel_channels: Channels = 256
    mask_channels: Channels = 256
    pixel_layers: Layers = 6
    pixel_heads: Channels = 8
    pixel_feedforward: Channels = 1024
    # Step 2: Phi
    language_channels: Channels = 2048
    language_layers: Layers = 24
    language_heads: Channels = 32
    language_feedforward: Channels = 8192
    vocabulary: Tokens = 50297
    positions: Tokens = 2048
    rotary_factor: Fraction = 0.5  # fraction of each head's channels with rotary embeddings
    # Steps 3 and 4
    queries: Tokens = 100
    decoder_layers: Layers = 9
    decoder_heads: Channels = 8
    decoder_feedforward: Channels = 2048
    # Default thresholds of predictions
    panoptic_score: float = 0.8
    panoptic_overlap: float = 0.8
    instance_score: float = 0.5
    # Not in published checkpoints: IoU above which two instances are one; least score of a pixel's
    # category; least probability of a mask that is part of a sentence's answer (None: the best is).
    duplicate_overlap: float | None = None
    semantic_score: float | None = None
    selection_score: float | None = None
    # In no published checkpoint: coordinates are added to the pixel decoder's features.
    coordinates: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that no model can have together."""
        check_multiples(self, pixel_channels="pixel_heads", language_channels="language_heads")
        check_multiples(self, pixel_channels="decoder_heads")
        for stage, heads in enumerate(self.swin_heads):
            if (channels := self.swin_embed << stage) % heads:
                raise ValueError(
                    f"swin_heads has {heads} heads in stage {stage}, whose {channels} channels are "
                    "no multiple of it"
                )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from parsed JSON or TOML. Raises WeightsError for unknown keys and bad values."""
        config = read_sizes(cls, values, cls.system)
        if problem := config.problem():
            raise WeightsError(f"{cls.system}'s {problem}")
        return config

    def problem(self) -> str | None:
        """Which values cannot be, as the rest of a sentence; None if all fit together."""
        if self.image_size % 32:
            return f"image_size is {self.image_size}, no multiple of 32"
        return None

    def too_many_queries(self, key: str) -> str | None:
        """The same for a number of queries of one prompt, which is part of ``queries``."""
        if (getattr(self, key) or 0) > self.queries:
            return f"{key} are {getattr(self, key)}, more than its {self.queries} queries"
        return None

    def swin_config(self) -> "SwinConfig":
        """The vision tower: all four stages are outputs."""
        from transformers import SwinConfig

        return SwinConfig(
            embed_dim=self.swin_embed,
            depths=list(self.swin_depths),
            num_heads=list(self.swin_heads),
            window_size=self.swin_window,
            drop_path_rate=self.swin_drop_path,
            out_features=["stage1", "stage2", "stage3", "stage4"],
        )

    def phi_config(self) -> "PhiConfig":
        """The language model, without dropout."""
        from transformers import PhiConfig

        return PhiConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.language_channels,
            intermediate_size=self.language_feedforward,
            num_hidden_layers=self.language_layers,
            num_attention_heads=self.language_heads,
            max_position_embeddings=self.positions,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": self.rotary_factor,
            },
            pad_token_id=None,
        )

    def pixel_decoder_config(self) -> "Mask2FormerConfig":
        """The pixel decoder, strides 4 to 32."""
        from transformers import Mask2FormerConfig

        return Mask2FormerConfig(
            feature_size=self.pixel_channels,
            mask_feature_size=self.mask_channels,
            hidden_dim=self.pixel_channels,
            encoder_feedforward_dim=self.pixel_feedforward,
            encoder_layers=self.pixel_layers,
            num_attention_heads=self.pixel_heads,
        )

    def mask_decoder_config(self) -> "Mask2FormerConfig":
        """The mask decoder; transformers counts the prediction before its first layer as one."""
        from transformers import Mask2FormerConfig

        return Mask2FormerConfig(
            hidden_dim=self.pixel_channels,
            mask_feature_size=self.mask_channels,
            decoder_layers=self.decoder_layers + 1,
            num_attention_heads=self.decoder_heads,
            dim_feedforward=self.decoder_feedforward,
        )
