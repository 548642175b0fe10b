"""The sizes of an MVP-LM. The defaults are what the authors' code builds; a miniature has other
numbers.

With a summary token it is the model of the paper (caption, then ``<PER>``, base queries); without
one it is what the released code computes.
"""

from dataclasses import dataclass
from typing import ClassVar

from vlseg_cli.models.base import Channels, Tokens
from vlseg_cli.models.mask2former.config import MaskModelConfig, Stride
from vlseg_cli.models.mvp_lm.prompts import Style
from vlseg_cli.schema.tables import Natural


@dataclass(frozen=True, slots=True, kw_only=True)
class MVPLMConfig(MaskModelConfig):
    """MVP-LM sections 3-7. Sizes in channels, layers or pixels."""

    system: ClassVar[str] = "MVP-LM"

    connector_width: Channels = 2048
    connector_stride: Stride = 2
    pixel_feedforward: Channels = 2048
    names_together: Natural = 599  # longer lists of names are encoded one name at a time
    # Steps 3 and 4
    sentence_queries: Tokens | None = None  # queries for a sentence; None: as many as for names
    stuff_queries: Tokens = 100
    # The paper's part: id of <PER>; None for the released code. caption_tokens: at most this many.
    prompt_style: Style = "released"
    summary_token: int | None = None
    caption_tokens: Tokens = 128
    # Default thresholds of predictions (section 7)
    panoptic_score: float = 0.1
    sentence_score: float = 0.6

    def __post_init__(self) -> None:
        """See ``MaskModelConfig``. Queries are chosen among the cells of strides 8, 16 and 32."""
        MaskModelConfig.__post_init__(self)
        cells = 21 * (self.image_size // 32) ** 2
        if self.queries > cells:
            raise ValueError(f"queries = {self.queries}, more than the image's {cells} cells")

    def problem(self) -> str | None:
        """See ``MaskModelConfig``."""
        token, rows = self.summary_token, self.vocabulary
        if token is not None and not 0 <= token < rows:
            return f"summary_token is {token}, outside its {rows} tokens"
        return MaskModelConfig.problem(self) or self.too_many_queries("sentence_queries")
