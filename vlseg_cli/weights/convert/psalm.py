"""Official PSALM state dict to ours: every tensor renamed, split, cut or dropped for a reason.

Source: PSALM section 11; the layout of ``zamling/PSALM`` checkpoints. Phi's projections come fused,
as released, or apart, as later versions of transformers save them.
"""

from vlseg_cli.weights.convert.mask2former import (
    CONDITIONS,
    MASK_DECODER,
    PIXEL_DECODER,
    swin_rules,
)
from vlseg_cli.weights.convert.phi import LANGUAGE
from vlseg_cli.weights.convert.rules import Drop, FirstRows, Rename, Rule, SplitHeads

MODEL_TYPE = "llava_phi"  # in config.json

CONNECTOR: tuple[Rule, ...] = (
    Rename(r"model\.mm_projector\.layer1\.0\.(conv1|conv2|bn1|bn2)\.(\w+)", r"connector.\1.\2"),
    Rename(
        r"model\.mm_projector\.layer1\.0\.downsample\.([01])\.(\w+)",
        r"connector.shortcut.\1.\2",
    ),
    Rename(r"model\.mm_projector\.fc\.(\w+)", r"connector.fc.\1"),
)


def psalm_rules(language_heads: int, vocabulary: int) -> tuple[Rule, ...]:
    """The whole table, for a Phi of so many heads and an embedding of so many rows."""
    return (
        SplitHeads(
            r"model\.layers\.(\d+)\.self_attn\.query_key_value\.(\w+)",
            r"language.layers.\1.self_attn.{}_proj.\2",
            language_heads,
        ),
        FirstRows(r"lm_head\.weight", "lm_head.weight", vocabulary),
        Drop(r"lm_head\.bias", "PSALM's output head has no bias"),
        *LANGUAGE,
        *swin_rules(r"model\.vision_tower"),
        *CONNECTOR,
        *PIXEL_DECODER,
        *MASK_DECODER,
        *CONDITIONS,
    )
