"""Official SELF1E state dict to ours: every tensor renamed, split, or dropped for a reason.

Three namings are read: InternVL's own (``vision_model``, ``mlp1``), which the authors use, too, and
the older and newer ones of its ``-hf`` repositories. Source: SELF1E section 11.
"""

from pathlib import Path

from tokenizers import AddedToken

from vlseg_cli.models.official import (
    OfficialFolder,
    check_vocabulary,
    inspect_official,
    own_shapes,
    read_config,
)
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.modeling import SELF1E
from vlseg_cli.models.self1e.sizes import self1e_sizes
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.tokenizer import SEG, Tokenizer
from vlseg_cli.weights.conversion.rules import Drop, Rename, Rule, SplitRows
from vlseg_cli.weights.conversion.tokenizer import official_tokenizer
from vlseg_cli.weights.read.checkpoint import read_checkpoint

# In config.json: InternVL's own and that of its -hf repositories.
MODEL_TYPES = ("internvl_chat", "internvl")

_BLOCK = r"vision_model\.encoder\.layers\.(\d+)"
_OUR_TOWER = "internvl.model.vision_tower"
_OUR_BLOCK = rf"{_OUR_TOWER}.encoder.layer.\1"
_OUR_PROJECTOR = "internvl.model.multi_modal_projector"
_OUR_LANGUAGE = "internvl.model.language_model"

_RECOMPUTED = Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical")

_REFILL: tuple[Rule, ...] = (
    Rename(r"combine_decode_proj\.([02])\.(weight|bias)", r"refill.describe.\1.\2"),
    Rename(r"combine_decode_proj_all\.([02])\.(weight|bias)", r"refill.amplify.\1.\2"),
    Rename(r"combine_decode_proj_ori\.([02])\.(weight|bias)", r"refill.restore.\1.\2"),
)

_OPENGVLAB: tuple[Rule, ...] = (
    Rename(r"vision_model\.embeddings\.class_embedding", f"{_OUR_TOWER}.embeddings.cls_token"),
    Rename(
        r"vision_model\.embeddings\.position_embedding",
        f"{_OUR_TOWER}.embeddings.position_embeddings",
    ),
    Rename(
        r"vision_model\.embeddings\.patch_embedding\.(weight|bias)",
        rf"{_OUR_TOWER}.embeddings.patch_embeddings.projection.\1",
    ),
    Rename(rf"{_BLOCK}\.ls([12])", rf"{_OUR_BLOCK}.lambda_\2"),
    SplitRows(rf"{_BLOCK}\.attn\.qkv\.(weight|bias)", rf"{_OUR_BLOCK}.attention.{{}}_proj.\2"),
    Rename(rf"{_BLOCK}\.attn\.proj\.(weight|bias)", rf"{_OUR_BLOCK}.attention.projection_layer.\2"),
    Rename(rf"{_BLOCK}\.mlp\.(fc[12])\.(weight|bias)", rf"{_OUR_BLOCK}.mlp.\2.\3"),
    Rename(rf"{_BLOCK}\.norm1\.(weight|bias)", rf"{_OUR_BLOCK}.layernorm_before.\2"),
    Rename(rf"{_BLOCK}\.norm2\.(weight|bias)", rf"{_OUR_BLOCK}.layernorm_after.\2"),
    Rename(r"mlp1\.0\.(weight|bias)", rf"{_OUR_PROJECTOR}.layer_norm.\1"),
    Rename(r"mlp1\.1\.(weight|bias)", rf"{_OUR_PROJECTOR}.linear_1.\1"),
    Rename(r"mlp1\.3\.(weight|bias)", rf"{_OUR_PROJECTOR}.linear_2.\1"),
)

_HF: tuple[Rule, ...] = (
    Rename(r"(?:model\.)?vision_tower\.(.+)", rf"{_OUR_TOWER}.\1"),
    Rename(r"(?:model\.)?multi_modal_projector\.(.+)", rf"{_OUR_PROJECTOR}.\1"),
    Rename(r"model\.language_model\.(.+)", rf"{_OUR_LANGUAGE}.\1"),
    Rename(r"lm_head\.weight", "internvl.lm_head.weight"),
)

SELF1E_RULES: tuple[Rule, ...] = (
    _RECOMPUTED,
    Rename(r"language_model\.model\.(.+)", rf"{_OUR_LANGUAGE}.\1"),  # the authors and older -hf
    Rename(r"language_model\.lm_head\.weight", "internvl.lm_head.weight"),
    *_REFILL,
    *_OPENGVLAB,
    *_HF,
)


def open_official_self1e(directory: Path) -> OfficialFolder:
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
    return inspect_official("self1e", sizes, tokenizer, tensors, SELF1E_RULES, own)


def official_self1e_tokenizer(directory: Path) -> Tokenizer:
    """Theirs; where ``[SEG]`` is not in it yet, it is the first to be added, as the authors do."""
    rust = official_tokenizer(directory)
    if rust.token_to_id(SEG) is None:
        rust.add_tokens([AddedToken(SEG, special=False, normalized=False)])
    return Tokenizer(rust)
