"""PSALM (Zhang et al., ECCV 2024): a language model builds queries for a Mask2Former decoder.

The four steps in the order of the data; step 1 runs once per image, the others once per prompt.
Steps 2 to 4 are shared with HyperSeg and stand in ``mask2former/modeling.py``.
"""

from torch import Tensor

from vlseg_cli.models.mask2former.modeling import ImageFeatures, MaskModel
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.nn.pooling import pool_regions
from vlseg_cli.nn.vision_encoders import SwinConnector, SwinPyramid
from vlseg_cli.text.sequence import TokenSequence


class PSALM(MaskModel):
    """``PSALMConfig()`` is the published size."""

    config: PSALMConfig

    def __init__(self, config: PSALMConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = SwinPyramid(config.swin_config())
        self.connector = SwinConnector(
            in_channels=self.vision_tower.channels[-1],
            width=config.connector_width,
            out_channels=config.language_channels,
            stride=config.connector_stride,
        )
        self._add_language_model_and_decoders(config, config.vocabulary)

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """Step 1: (B, 3, H, W) normalized pixels, H and W multiples of 32."""
        pyramid = self.vision_tower(pixel_values)
        return ImageFeatures(pyramid, self.pixel_decoder(pyramid), self.connector(pyramid[-1]))

    def prefix_parts(self, features: ImageFeatures, sequence: TokenSequence) -> list[Tensor]:
        """Step 2, the prefix: text, then image tokens."""
        tokens = features.tokens.flatten(2).transpose(1, 2)
        return [self.embed_text(sequence.prefix, features), tokens]

    def region_features(
        self, features: ImageFeatures, image_index: Tensor, regions: Tensor
    ) -> Tensor:
        """Step 2, regions: (R,) images, (R, H, W) masks on the input's grid -> (R, C)."""
        return pool_regions(self.region_feature_map(features)[image_index], regions)

    def region_feature_map(self, features: ImageFeatures) -> Tensor:
        """The map that regions are pooled from: (B, C, h, w)."""
        tokens = self.config.region_source == "tokens"
        return features.tokens if tokens else features.pixels.mask_features
