"""The sizes of a PSALM. The defaults are the published model; a miniature has other numbers."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from vlseg_cli.models.base import Channels, OptionalLayers, Tokens
from vlseg_cli.models.mask2former.config import MaskModelConfig, RegionSource, Stride
from vlseg_cli.models.psalm.prompts import Style
from vlseg_cli.schema.tables import Formerly


@dataclass(frozen=True, slots=True, kw_only=True)
class PSALMConfig(MaskModelConfig):
    """PSALM sections 2-6. Sizes in channels, layers or pixels."""

    system: ClassVar[str] = "PSALM"

    connector_width: Channels = 2048
    connector_stride: Stride = 2
    # Video: least score of an expression's mask, least appearance similarity of a tracked object
    video_score: float = 0.3
    appearance_threshold: Annotated[float, Formerly("likeness")] = 0.8
    # Not in published checkpoints: how the embedded miniature differs.
    prompt_style: Style = "psalm"
    single_queries: Tokens | None = None  # mask tokens for one sentence or region; None: all
    region_source: RegionSource = "tokens"  # features that regions are pooled from
    regions_together: bool = True  # all regions in one prompt, or one prompt per region
    # Mask tokens stand before the prompt, so that an image has the same proposals for all prompts;
    # a selector of so many layers chooses among them for sentences and regions.
    proposals_first: bool = False
    selection_layers: OptionalLayers = 0
    selection_channels: Channels = 128
    mask_stride: Literal[2, 4] = 4  # px
    # Whether the language model was trained to generate text.
    generates_text: Annotated[bool, Formerly("talks")] = True

    def problem(self) -> str | None:
        """See ``MaskModelConfig``."""
        if self.proposals_first != bool(self.selection_layers):
            return "proposals_first and selection_layers go together: set both or none"
        return MaskModelConfig.problem(self) or self.too_many_queries("single_queries")
