"""A SELF1E as its authors publish it, or an InternVL that one can be trained from.

Of a base model the new heads are missing, which is what its converted folder then says.
"""

from pathlib import Path

from tokenizers import AddedToken

from vlseg_cli.models.configs.self1e import SELF1EConfig
from vlseg_cli.models.official.folder import (
    Official,
    check_vocabulary,
    look_through,
    own_shapes,
    read_config,
)
from vlseg_cli.models.self1e import SELF1E
from vlseg_cli.prompts.tokenizer import SEG, Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.self1e import SELF1E_RULES
from vlseg_cli.weights.convert.self1e_sizes import self1e_sizes
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint


def open_official_self1e(directory: Path) -> Official:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Raises WeightsError for a folder that is damaged or no InternVL's.
    """
    tensors = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sizes = self1e_sizes(shapes, read_config(directory))
    try:
        config = SELF1EConfig.from_dict(sizes)
        own = own_shapes(lambda: SELF1E(config))
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no SELF1E can have all the sizes that {directory} states") from error
    tokenizer = official_self1e_tokenizer(directory)
    check_vocabulary(tokenizer, config.vocabulary, directory)
    return look_through("self1e", sizes, tokenizer, tensors, SELF1E_RULES, own)


def official_self1e_tokenizer(directory: Path) -> Tokenizer:
    """Theirs; where ``[SEG]`` is not in it yet, it is the first to be added, as the authors do."""
    rust = official_tokenizer(directory)
    if rust.token_to_id(SEG) is None:
        rust.add_tokens([AddedToken(SEG, special=False, normalized=False)])
    return Tokenizer(rust)
