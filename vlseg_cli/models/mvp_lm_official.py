"""An MVP-LM as its authors' code saves it: state dict, config.json and tokenizer, in their names.

The authors have published no weights; this is the layout of what anyone trains with their code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.models.mvp_lm import MVPLM
from vlseg_cli.models.mvp_lm_config import MVPLMConfig
from vlseg_cli.models.official import (
    Official,
    Shapes,
    check_vocabulary,
    look_through,
    own_shapes,
    read_config,
)
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.mvp_lm import mvp_lm_rules
from vlseg_cli.weights.convert.mvp_lm_sizes import mvp_lm_sizes
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.read.checkpoint import read_checkpoint

MODEL_TYPE = "openseed_phi"


def open_official_mvp_lm(directory: Path) -> Official:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no file of theirs tells are those of the authors' code unless config.json has them
    in a table "vlseg". Raises WeightsError for a folder that is damaged or no MVP-LM's.
    """
    tensors = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    told = read_config(directory)
    if not isinstance(told.get("vlseg", {}), dict):
        raise WeightsError(f'{directory / CONFIG} has a "vlseg" that is no table of sizes')
    sizes = mvp_lm_sizes(shapes, told) | told.get("vlseg", {})
    config, own = _sized(sizes, directory)
    tokenizer = Tokenizer(official_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    rules = mvp_lm_rules(config.language_heads, config.vocabulary, tensors)
    return look_through("mvp-lm", sizes, tokenizer, tensors, rules, own)


def _sized(sizes: Mapping[str, Any], directory: Path) -> tuple[MVPLMConfig, Shapes]:
    """The configuration, and every shape of ours that follows from it."""
    try:
        config = MVPLMConfig.from_dict(sizes)
        return config, own_shapes(lambda: MVPLM(config))
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no MVP-LM can have all the sizes that {directory} states") from error
