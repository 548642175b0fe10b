"""A HyperSeg as its authors publish it: state dict, config.json and tokenizer, in their names."""

from pathlib import Path

from vlseg_cli.models.configs.hyperseg import HyperSegConfig
from vlseg_cli.models.hyperseg import HyperSeg
from vlseg_cli.models.official.folder import (
    Official,
    check_vocabulary,
    look_through,
    read_told,
    sized,
)
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.weights.convert.hyperseg import MODEL_TYPES, hyperseg_rules
from vlseg_cli.weights.convert.hyperseg_sizes import hyperseg_sizes
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint


def open_official_hyperseg(directory: Path) -> Official:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no file of theirs tells, such as decoder_heads, are the published ones unless
    config.json has them in a table "vlseg". Raises WeightsError for a folder that is damaged or
    no HyperSeg's.
    """
    told = read_told(directory, "HyperSeg", MODEL_TYPES)
    tensors = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sizes = hyperseg_sizes(shapes, told) | told.get("vlseg", {})
    config, own = sized("HyperSeg", lambda: HyperSegConfig.from_dict(sizes), HyperSeg, directory)
    tokenizer = Tokenizer(official_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    return look_through(
        "hyperseg", sizes, tokenizer, tensors, hyperseg_rules(config.clip_layers), own
    )
