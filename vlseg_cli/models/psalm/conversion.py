"""Official PSALM state dict to ours: every tensor renamed, split, cut or dropped for a reason.

Source: PSALM section 11; the layout of ``zamling/PSALM`` checkpoints. Phi's projections come fused,
as released, or apart, as later versions of transformers save them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.models.mask2former.conversion import (
    CONDITIONS,
    CONNECTOR_RULES,
    CONNECTOR_SIZES,
    MASK_DECODER,
    PIXEL_DECODER,
    phi_rules,
    swin_rules,
)
from vlseg_cli.models.official import (
    OfficialFolder,
    inspect_official,
    read_claimed_config,
)
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.coverage import Shapes, cover, require_complete, shapes_of
from vlseg_cli.weights.conversion.rules import (
    Drop,
    Fill,
    FirstRows,
    Rename,
    Rule,
    convert,
    find_rule,
)
from vlseg_cli.weights.conversion.sizes import (
    LAYERS,
    MASK2FORMER,
    PHI,
    PHI_STATED,
    SizeReader,
    stated,
)
from vlseg_cli.weights.conversion.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint
from vlseg_cli.weights.settings import CONFIG

MODEL_TYPE = "llava_phi"  # in config.json


def psalm_rules(language_heads: int, vocabulary: int) -> tuple[Rule, ...]:
    """The whole table, for a Phi of so many heads and an embedding of so many rows."""
    return (
        *phi_rules(language_heads, vocabulary),
        *swin_rules(r"model\.vision_tower"),
        *CONNECTOR_RULES,
        *PIXEL_DECODER,
        *MASK_DECODER,
        *CONDITIONS,
    )


def psalm_sizes(shapes: Shapes, config: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes for a PSALM configuration; what neither tensors nor config contain is left out.

    shapes: of the official tensors. config: the official config.json.
    Raises WeightsError if the tensors are not a PSALM's.
    """
    reader = SizeReader("PSALM", shapes)
    return {
        **reader.sizes(MASK2FORMER),
        **reader.sizes(CONNECTOR_SIZES),
        **reader.sizes(PHI),
        **reader.counted(LAYERS),
        **reader.swin(r"model\.vision_tower"),
        **stated(config, PHI_STATED),
    }


_PIXELS = r"sem_seg_head\.pixel_decoder"
_PREDICTOR = r"sem_seg_head\.predictor"

# Parts of ours that a base fills whole, and their tensors that keep their initial values.
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
        Drop(rf"{_PREDICTOR}\.class_embed\.\w+", "classes come from the language model"),
        Drop(r"criterion\.empty_weight", "belongs to a loss"),
        Rename(r"(?:.+\.)?mm_projector\.(.+)", r"model.mm_projector.\1"),
    )


_FILLS = (
    Fill(
        r"connector\..*\.num_batches_tracked",
        "counts batches, no prediction depends on it",
        0,
        torch.int64,
    ),
)


def open_official_psalm(directory: Path) -> OfficialFolder:
    """Inspect an official folder for completeness, without reading tensor values.

    Sizes that no file of theirs contains, such as decoder_heads, are the published ones unless
    config.json has them in a table "vlseg"; its categories are COCO panoptic's, which it was
    trained with. Raises WeightsError for a folder that is damaged or no PSALM's.
    """
    stated = read_claimed_config(directory, "PSALM", [MODEL_TYPE])
    tensors = read_checkpoint(directory)
    return inspect_official(
        "psalm",
        directory,
        tensors,
        psalm_sizes(shapes_of(tensors), stated) | stated.get("vlseg", {}),
        PSALMConfig.from_dict,
        PSALM,
        Tokenizer(official_tokenizer(directory)),
        lambda config: psalm_rules(config.language_heads, config.vocabulary),
        _FILLS,
        class_table("coco-panoptic").prompt("plain"),
    )


def is_base(directory: Path) -> bool:
    """Whether a folder holds parts of a model: complete ones have a config.json."""
    return not (directory / CONFIG).is_file()


def base_tensors(psalm: PSALM, directory: Path) -> dict[str, Tensor]:
    """The tensors that a base has of a model, by our names.

    Raises WeightsError naming what is unknown, misshapen, or lacking in a part that is there.
    """
    config = psalm.config
    rules, first = psalm_rules(config.language_heads, config.vocabulary), base_rules(config.queries)
    theirs = read_checkpoint(directory)
    if unknown := [name for name in theirs if find_rule(first, name) is None]:
        raise WeightsError(f"{directory} has no part that can initialize a PSALM: {unknown[0]}?")
    official = {k: v for name in theirs for k, v in convert(first, name, theirs[name]).items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in psalm.state_dict().items()}
    used = cover(rules, official, shapes).used
    parts = {ours.partition(".")[0] for names in used.values() for ours in names} & PARTS
    own = {name: shape for name, shape in shapes.items() if name.partition(".")[0] in parts}
    require_complete(cover(rules, official, own, [Fill(FRESH, "initial value")]), directory)
    ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
    return {name: tensor for name, tensor in ours.items() if name in own}
