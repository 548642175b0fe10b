"""The sizes of an HRSeg. The defaults are the paper's model; a miniature is other numbers.

LLM-Seg, on which it is built, is the same model with both additions off: ``LLM_SEG``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlseg_cli.models.base import read_sizes
from vlseg_cli.models.hrseg.prompts import Style
from vlseg_cli.models.hrseg.selection import Empty, Rule, Selection
from vlseg_cli.nn.llava import Kind, LLaVASizes
from vlseg_cli.nn.sam import SAMSizes
from vlseg_cli.schema import WeightsError

Pooled = Literal["hybrid", "regions"]
Fit = Literal["crop", "pad"]
OWN_SAM = "sam"


@dataclass(frozen=True, slots=True)
class HRSegConfig:
    """HRSeg sections 3 and 4.2; LLM-Seg's code where the paper is silent. Channels, layers, px."""

    # 1 see: DINOv2 looks at the whole picture and at N × N windows of it
    view: int = 518
    windows: int = 2  # N; 0: the whole picture alone, no high-resolution perception
    gamma: float = 0.8  # share of the whole picture's features in the hybrid ones
    pooled: Pooled = "hybrid"  # what masks are pooled from; 'regions' reads equation 10 literally
    enhancement_layers: int = 2  # L; 0: no high-resolution enhancement
    dino_native: int = 518
    dino_patch: int = 14
    dino_width: int = 1024
    dino_layers: int = 24
    dino_heads: int = 16
    channels: int = 256
    mask_size: int = 256  # side of the grid on which masks are pooled
    proposals: str = OWN_SAM  # what proposes masks: the model's own SAM, or another model's name
    most_proposals: int = 50  # the largest are kept
    # 1 see and 2 read: LLaVA
    llava: Kind = "v1"
    picture_fit: Fit = "crop"  # how a picture becomes CLIP's square
    clip_image: int = 224
    clip_patch: int = 14
    clip_width: int = 1024
    clip_layers: int = 24
    clip_heads: int = 16
    clip_feedforward: int = 4096
    language_channels: int = 4096
    language_layers: int = 32
    language_heads: int = 32
    language_feedforward: int = 11008
    vocabulary: int = 32004
    positions: int = 2048
    norm_epsilon: float = 1e-6
    prompt_style: Style = "llava"
    # 4 answer: fusion, heads, selection
    fusion_layers: int = 2
    fusion_heads: int = 8
    fusion_feedforward: int = 2048
    embedding_head: int = 2048
    iop_head: int = 128
    selection: Rule = "topk_and_iop"
    top: int = 10
    iop: float = 0.7
    empty: Empty = "top1_similarity"
    # SAM, if it is the model's own
    sam_image: int = 1024
    sam_patch: int = 16
    sam_width: int = 1280
    sam_layers: int = 32
    sam_heads: int = 16
    sam_window: int = 14
    sam_global: tuple[int, ...] = (7, 15, 23, 31)
    sam_channels: int = 256
    sam_decoder_feedforward: int = 2048
    sam_decoder_heads: int = 8

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "HRSegConfig":
        """Build from parsed JSON or TOML. Raises WeightsError for what cannot be an HRSeg."""
        config = read_sizes(cls, values, "HRSeg")
        if config.view % config.dino_patch:
            raise WeightsError(
                f"HRSeg's view is {config.view} px, no multiple of DINOv2's patch of "
                f"{config.dino_patch}"
            )
        return config

    @property
    def grid(self) -> int:
        """Tokens along one side of a view."""
        return self.view // self.dino_patch

    @property
    def llava_sizes(self) -> LLaVASizes:
        """LLaVA's part."""
        return LLaVASizes(
            self.llava,
            self.clip_image,
            self.clip_patch,
            self.clip_width,
            self.clip_layers,
            self.clip_heads,
            self.clip_feedforward,
            self.language_channels,
            self.language_layers,
            self.language_heads,
            self.language_feedforward,
            self.vocabulary,
            self.positions,
            self.norm_epsilon,
        )

    @property
    def sam_sizes(self) -> SAMSizes:
        """SAM's part."""
        return SAMSizes(
            self.sam_image,
            self.sam_patch,
            self.sam_width,
            self.sam_layers,
            self.sam_heads,
            self.sam_window,
            self.sam_global,
            self.sam_channels,
            self.sam_decoder_feedforward,
            self.sam_decoder_heads,
        )

    @property
    def chosen(self) -> Selection:
        """How proposals are chosen."""
        return Selection(self.selection, self.top, self.iop, self.empty)


LLM_SEG: dict[str, Any] = {
    "view": 896,
    "windows": 0,
    "enhancement_layers": 0,
    "selection": "iop",
    "iop": 0.5,
    "empty": "nothing",
}
