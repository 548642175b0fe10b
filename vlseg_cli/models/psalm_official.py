"""A PSALM as its authors publish it: state dict, config.json and tokenizer, in their own names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.models.official import (
    Official,
    Shapes,
    check_vocabulary,
    look_through,
    own_shapes,
    read_config,
)
from vlseg_cli.models.psalm import PSALM
from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.psalm import psalm_rules
from vlseg_cli.weights.convert.psalm_sizes import psalm_sizes
from vlseg_cli.weights.convert.rules import Fill
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.read.checkpoint import read_checkpoint

MODEL_TYPE = "llava_phi"

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
    tensors = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    told = _told(directory)
    sizes = psalm_sizes(shapes, told) | told.get("vlseg", {})
    config, own = _sized(sizes, directory)
    tokenizer = Tokenizer(official_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    rules = psalm_rules(config.language_heads, config.vocabulary)
    trained = class_table("coco-panoptic").asked("plain")
    return look_through("psalm", sizes, tokenizer, tensors, rules, own, _FILLS, trained)


def _sized(sizes: Mapping[str, Any], directory: Path) -> tuple[PSALMConfig, Shapes]:
    """The configuration, and every shape of ours that follows from it."""
    try:
        config = PSALMConfig.from_dict(sizes)
        return config, own_shapes(lambda: PSALM(config))
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no PSALM can have all the sizes that {directory} states") from error


def _told(directory: Path) -> dict[str, Any]:
    """The official config.json. Raises WeightsError if it is missing or another model's."""
    config, file = read_config(directory), directory / CONFIG
    if (kind := config.get("model_type")) != MODEL_TYPE:
        raise WeightsError(f"{file} says model_type {kind!r}; PSALM's is {MODEL_TYPE!r}")
    if not isinstance(config.get("vlseg", {}), dict):
        raise WeightsError(f'{file} has a "vlseg" that is no table of sizes')
    return config
