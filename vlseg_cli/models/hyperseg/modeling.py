"""HyperSeg (Wei et al., 2024): two vision encoders, fine-grained tokens, images and videos.

The four steps in the order of the data; steps 2 to 4 are shared with PSALM and stand in
``mask2former/modeling.py``. In a video, ``carry`` feeds the hidden states of one frame's
fine-grained tokens into the perceiver of the next frame.
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.mask2former.modeling import ImageFeatures, MaskModel, MaskOutput
from vlseg_cli.nn.perceiver import FineGrainedPerceiver
from vlseg_cli.nn.pooling import pool_cells, pool_regions
from vlseg_cli.nn.reid import InstanceEmbeddings, InstanceHeads
from vlseg_cli.nn.vision_encoders import SiglipTower, SwinPyramid
from vlseg_cli.text.sequence import TokenSequence


@dataclass(slots=True)
class HyperSegFeatures(ImageFeatures):
    """Step 1. tokens (B, D, h, w): the connector's; fine (B, F, D): fine-grained tokens."""

    fine: Tensor = field(kw_only=True)


class HyperSeg(MaskModel):
    """``HyperSegConfig()`` is the published size."""

    config: HyperSegConfig

    def __init__(self, config: HyperSegConfig) -> None:
        super().__init__()
        self.config = config
        width = config.language_channels
        self.vision_tower = SwinPyramid(config.swin_config())
        self.clip_tower = SiglipTower(config.siglip_config())
        self.connector = nn.Sequential(
            nn.Linear(config.clip_channels, width), nn.GELU(), nn.Linear(width, width)
        )
        self.perceiver = FineGrainedPerceiver(
            in_channels=self.vision_tower.channels[1:],
            out_channels=width,
            tokens=config.fine_tokens,
            channels=config.fine_channels,
            heads=config.fine_heads,
            head_channels=config.fine_head_channels,
            gated=config.conditional_weight,
        )
        self._add_language_model_and_decoders(config, config.head_rows)
        self.instance_heads = InstanceHeads(config.pixel_channels)

    def encode_image(
        self, pixel_values: Tensor, clip_values: Tensor, carried: Tensor | None = None
    ) -> HyperSegFeatures:
        """Step 1: the same B images as (B, 3, H, W) for Swin, H and W multiples of 32, and as
        (B, 3, S, S) for SigLIP. carried: the output of ``carry`` for the frames before them."""
        pyramid = self.vision_tower(pixel_values)
        tokens = self.connector(self.clip_tower(clip_values))
        side = self.clip_tower.side
        return HyperSegFeatures(
            pyramid,
            self.pixel_decoder(pyramid),
            tokens.transpose(1, 2).unflatten(2, (side, side)),
            fine=self.perceiver(pyramid[1:], carried),
        )

    def prefix_parts(self, features: HyperSegFeatures, sequence: TokenSequence) -> list[Tensor]:
        """Step 2, the prefix: text, image tokens, text, fine-grained tokens."""
        tokens = features.tokens.flatten(2).transpose(1, 2)
        parts = [self.embed_text(sequence.prefix, features), tokens]
        if sequence.between is not None:
            parts += [self.embed_text(sequence.between, features), features.fine]
        return parts

    def carry(self, features: HyperSegFeatures, sequence: TokenSequence) -> Tensor:
        """Queries (B, F, C) for the next frame's perceiver from the hidden states of this frame's
        fine-grained tokens, which depend on no prompt as the language model is causal."""
        hidden = self.encode_prefix(features, sequence).hidden[:, -self.config.fine_tokens :]
        carried: Tensor = self.perceiver.carry(hidden)
        return carried

    def region_features(
        self, features: HyperSegFeatures, image_index: Tensor, regions: Tensor
    ) -> Tensor:
        """Step 2, regions: (R,) images, (R, S, S) masks on SigLIP's grid where regions are pooled
        from tokens, else on Swin's -> (R, C)."""
        if self.config.region_source == "tokens":
            return pool_cells(features.tokens[image_index], regions)
        return pool_regions(features.pixels.mask_features[image_index], regions)

    def instance_embeddings(self, mask_output: MaskOutput) -> InstanceEmbeddings:
        """After step 4, for tracking: boxes and embeddings of the queries."""
        embeddings: InstanceEmbeddings = self.instance_heads(
            mask_output.hidden[-1], mask_output.content
        )
        return embeddings
