"""What PSALM's training begins with, by the names that a whole PSALM has for it.

Source: PSALM section 8. Mask2Former's model zoo has Swin and both decoders, the authors' stage 1
the connector.
"""

from vlseg_cli.weights.convert.rules import Drop, FirstRows, Rename, Rule

_PIXELS = r"sem_seg_head\.pixel_decoder"
_PREDICTOR = r"sem_seg_head\.predictor"

# Parts of ours that a base fills whole, and what of them stays as it was.
PARTS = {"vision_tower", "pixel_decoder", "mask_decoder", "connector"}
FRESH = (
    r"pixel_decoder\.decoder\.(adapter_1|layer_1)\.0\.bias"  # Mask2Former's have none
    r"|connector\..*\.(running_mean|running_var|num_batches_tracked)"  # parameters alone are saved
)


def base_rules(queries: int) -> tuple[Rule, ...]:
    """The table, for a decoder of so many queries."""
    return (
        Rename(r"backbone\.(.+)", r"model.vision_tower.\1"),
        Rename(rf"{_PIXELS}\.(adapter_1|layer_1)\.weight", r"pixel_decoder.\1.0.weight"),
        Rename(rf"{_PIXELS}\.(adapter_1|layer_1)\.norm\.(\w+)", r"pixel_decoder.\1.1.\2"),
        Rename(rf"{_PIXELS}\.(?!adapter_1|layer_1)(.+)", r"pixel_decoder.\1"),
        Rename(rf"{_PREDICTOR}\.static_query\.weight", r"predictor.query_feat.weight"),
        FirstRows(rf"{_PREDICTOR}\.query_embed\.weight", "predictor.query_embed.weight", queries),
        Rename(rf"{_PREDICTOR}\.(?!static_query|query_embed|class_embed)(.+)", r"predictor.\1"),
        Drop(rf"{_PREDICTOR}\.class_embed\.\w+", "classes are what the language model says"),
        Drop(r"criterion\.empty_weight", "belongs to a loss"),
        Rename(r"(?:.+\.)?mm_projector\.(.+)", r"model.mm_projector.\1"),
    )
