"""A PSALM as its authors publish it: state dict, config.json and tokenizer, in their own names."""

from pathlib import Path

import torch

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.models.configs.psalm import PSALMConfig
from vlseg_cli.models.official.folder import (
    Official,
    check_vocabulary,
    look_through,
    read_told,
    sized,
)
from vlseg_cli.models.psalm import PSALM
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.weights.convert.psalm import MODEL_TYPE, psalm_rules
from vlseg_cli.weights.convert.psalm_sizes import psalm_sizes
from vlseg_cli.weights.convert.rules import Fill
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint

_FILLS = (
    Fill(
        r"connector\..*\.num_batches_tracked",
        "counts batches, no answer depends on it",
        0,
        torch.int64,
    ),
)


def open_official_psalm(directory: Path) -> Official:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no file of theirs tells, such as decoder_heads, are the published ones unless
    config.json has them in a table "vlseg"; its categories are COCO panoptic's, which it was
    trained with. Raises WeightsError for a folder that is damaged or no PSALM's.
    """
    told = read_told(directory, "PSALM", [MODEL_TYPE])
    tensors = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sizes = psalm_sizes(shapes, told) | told.get("vlseg", {})
    config, own = sized("PSALM", lambda: PSALMConfig.from_dict(sizes), PSALM, directory)
    tokenizer = Tokenizer(official_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    rules = psalm_rules(config.language_heads, config.vocabulary)
    trained = class_table("coco-panoptic").asked("plain")
    return look_through("psalm", sizes, tokenizer, tensors, rules, own, _FILLS, trained)
