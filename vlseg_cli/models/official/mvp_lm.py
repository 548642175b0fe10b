"""An MVP-LM as its authors' code saves it: state dict, config.json and tokenizer, in their names.

The authors have published no weights; this is the layout of what anyone trains with their code.
"""

from pathlib import Path

from vlseg_cli.models.configs.mvp_lm import MVPLMConfig
from vlseg_cli.models.mvp_lm import MVPLM
from vlseg_cli.models.official.folder import (
    Official,
    check_vocabulary,
    look_through,
    read_told,
    sized,
)
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.weights.convert.mvp_lm import MODEL_TYPE, mvp_lm_rules
from vlseg_cli.weights.convert.mvp_lm_sizes import mvp_lm_sizes
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint


def open_official_mvp_lm(directory: Path) -> Official:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no file of theirs tells are those of the authors' code unless config.json has them
    in a table "vlseg". Raises WeightsError for a folder that is damaged or no MVP-LM's.
    """
    told = read_told(directory, "MVP-LM", [MODEL_TYPE])
    tensors = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sizes = mvp_lm_sizes(shapes, told) | told.get("vlseg", {})
    config, own = sized("MVP-LM", lambda: MVPLMConfig.from_dict(sizes), MVPLM, directory)
    tokenizer = Tokenizer(official_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    rules = mvp_lm_rules(config.language_heads, config.vocabulary, tensors)
    return look_through("mvp-lm", sizes, tokenizer, tensors, rules, own)
