"""Sizes and switches of HRSeg. Defaults are the paper's; ``LLM_SEG`` turns its two additions off.

Files and recipes have flat keys; the transformers configs that ``nn`` takes are built here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Interval
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaNextConfig

from vlseg_cli.models.base import (
    Channels,
    Layers,
    OptionalLayers,
    Pixels,
    Tokens,
    check_grids,
    check_multiples,
    read_sizes,
)
from vlseg_cli.models.hrseg.postprocessing import Empty, Rule, Selection
from vlseg_cli.models.hrseg.prompts import Style
from vlseg_cli.nn.llava import GRIDS
from vlseg_cli.nn.sam import SAMSizes
from vlseg_cli.schema.tables import Formerly, Fraction, Natural, Positive

LLaVAVersion = Literal["v1", "v1.6"]
Pooled = Literal["hybrid", "regions"]
Fit = Literal["crop", "pad"]
Windows = Annotated[int, Interval(ge=0, le=16)]
OWN_SAM = "sam"
_CLIP_FEATURE_LAYER = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class HRSegConfig:
    """HRSeg sections 3 and 4.2; LLM-Seg's code where the paper gives nothing. Channels, layers,
    px."""

    # Step 1: DINOv2 encodes the whole image and N × N windows of it
    view: Pixels = 518
    windows: Windows = 2  # N; 0: the whole image alone, no high-resolution perception
    gamma: Fraction = 0.8  # weight of the overview in the hybrid features
    pooled: Pooled = "hybrid"  # features pooled by masks; 'regions' is equation 10 as printed
    enhancement_layers: OptionalLayers = 2  # L; 0: no high-resolution enhancement
    dino_native: Pixels = 518
    dino_patch: Pixels = 14
    dino_width: Channels = 1024
    dino_layers: Layers = 24
    dino_heads: Channels = 16
    channels: Channels = 256
    mask_size: Pixels = 256  # side of the grid on which masks are pooled
    proposals: str = OWN_SAM  # source of proposals: the model's own SAM, or another model's name
    max_proposals: Annotated[Tokens, Formerly("most_proposals")] = 50  # the largest are kept
    # Steps 1 and 2: LLaVA
    llava: LLaVAVersion = "v1"
    # How an image becomes CLIP's square
    image_fit: Annotated[Fit, Formerly("picture_fit")] = "crop"
    clip_image: Pixels = 224
    clip_patch: Pixels = 14
    clip_width: Channels = 1024
    clip_layers: Layers = 24
    clip_heads: Channels = 16
    clip_feedforward: Channels = 4096
    language_channels: Channels = 4096
    language_layers: Layers = 32
    language_heads: Channels = 32
    language_feedforward: Channels = 11008
    vocabulary: Tokens = 32004
    positions: Tokens = 2048
    norm_epsilon: Positive = 1e-6
    prompt_style: Style = "llava"
    # Step 4: fusion, heads, selection
    fusion_layers: Layers = 2
    fusion_heads: Channels = 8
    fusion_feedforward: Channels = 2048
    embedding_head: Channels = 2048
    iop_head: Channels = 128
    selection: Rule = "topk_and_iop"
    top: Tokens = 10
    iop: float = 0.7
    empty: Empty = "top1_similarity"
    # The model's own SAM, if it has one
    sam_image: Pixels = 1024
    sam_patch: Pixels = 16
    sam_width: Channels = 1280
    sam_layers: Layers = 32
    sam_heads: Channels = 16
    sam_window: Pixels = 14
    sam_global: tuple[Natural, ...] = (7, 15, 23, 31)
    sam_channels: Channels = 256
    sam_decoder_feedforward: Channels = 2048
    sam_decoder_heads: Channels = 8

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that no model can have together."""
        check_multiples(
            self,
            view="dino_patch",
            dino_width="dino_heads",
            clip_width="clip_heads",
            language_channels="language_heads",
            channels="fusion_heads",
            sam_width="sam_heads",
            sam_channels="sam_decoder_heads",
        )
        check_grids(
            self,
            view="dino_patch",
            dino_native="dino_patch",
            clip_image="clip_patch",
            sam_image="sam_patch",
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "HRSegConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for unknown keys and bad values."""
        return read_sizes(cls, values, "HRSeg")

    @property
    def grid(self) -> int:
        """Tokens along one side of a view."""
        return self.view // self.dino_patch

    def llava_config(self) -> LlavaConfig | LlavaNextConfig:
        """Config of CLIP, projector and LLaMA; the class depends on the version."""
        clip = CLIPVisionConfig(
            image_size=self.clip_image,
            patch_size=self.clip_patch,
            hidden_size=self.clip_width,
            num_hidden_layers=self.clip_layers,
            num_attention_heads=self.clip_heads,
            intermediate_size=self.clip_feedforward,
        )
        llama = LlamaConfig(
            hidden_size=self.language_channels,
            num_hidden_layers=self.language_layers,
            num_attention_heads=self.language_heads,
            intermediate_size=self.language_feedforward,
            vocab_size=self.vocabulary,
            max_position_embeddings=self.positions,
            rms_norm_eps=self.norm_epsilon,
            pad_token_id=None,
        )
        configs: dict[str, Any] = {
            "vision_config": clip,
            "text_config": llama,
            "vision_feature_layer": _CLIP_FEATURE_LAYER,
        }
        if self.llava == "v1":
            return LlavaConfig(**configs)
        grids = [[h * self.clip_image, w * self.clip_image] for h, w in GRIDS]
        return LlavaNextConfig(**configs, image_grid_pinpoints=grids)

    def sam_sizes(self) -> SAMSizes:
        """Sizes of the model's own SAM."""
        return SAMSizes(
            image=self.sam_image,
            patch=self.sam_patch,
            width=self.sam_width,
            layers=self.sam_layers,
            heads=self.sam_heads,
            window=self.sam_window,
            whole=self.sam_global,
            channels=self.sam_channels,
            decoder_feedforward=self.sam_decoder_feedforward,
            decoder_heads=self.sam_decoder_heads,
        )

    def selection_rule(self) -> Selection:
        """The rule that selects proposals."""
        return Selection(self.selection, self.top, self.iop, self.empty)


LLM_SEG: dict[str, Any] = {
    "view": 896,
    "windows": 0,
    "enhancement_layers": 0,
    "selection": "iop",
    "iop": 0.5,
    "empty": "nothing",
}
