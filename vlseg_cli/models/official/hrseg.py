"""An LLM-Seg as its authors publish it: a DeepSpeed folder, whose tokenizer lies with its LLaVA.

HRSeg's own weights are not published; it is trained from these.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as RustTokenizer

from vlseg_cli.models.configs.hrseg import LLM_SEG, HRSegConfig
from vlseg_cli.models.hrseg import HRSeg
from vlseg_cli.models.official.folder import (
    Official,
    Shapes,
    check_vocabulary,
    look_through,
    own_shapes,
    read_config,
)
from vlseg_cli.prompts.legacy_llama import IMAGE_END, IMAGE_START
from vlseg_cli.prompts.tokenizer import SEG, Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.hrseg import LLM_SEG_RULES, PREFIX
from vlseg_cli.weights.convert.hrseg_sizes import llm_seg_sizes
from vlseg_cli.weights.convert.lora import Merged
from vlseg_cli.weights.convert.tokenizer import has_tokenizer, official_tokenizer
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.places import official_folder
from vlseg_cli.weights.read.checkpoint import read_checkpoint

_LLAVA = "llava-lightning-7b-v1-1"
_LORA_SCALE = 16 / 8  # alpha over rank of LLM-Seg's training


def open_official_llm_seg(directory: Path) -> Official:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no tensor tells are the published ones unless the folder has a config.json with
    them in a table "vlseg". Raises WeightsError for a folder that is damaged or no LLM-Seg's.
    """
    stored = read_checkpoint(directory)
    plain = {name.removeprefix(PREFIX): tensor for name, tensor in stored.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in plain.items()}
    sizes = {**LLM_SEG, **llm_seg_sizes(shapes), **_told(directory)}
    config, own = _sized(sizes, directory)
    tokenizer = seg_tokenizer(_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    tensors = Merged(plain, _LORA_SCALE)
    return look_through("hrseg", sizes, tokenizer, tensors, LLM_SEG_RULES, own)


def seg_tokenizer(rust: RustTokenizer) -> Tokenizer:
    """LLaVA's tokenizer with what LLM-Seg adds, in its order; what is there already stays."""
    rust.add_tokens([AddedToken(SEG, normalized=False)])
    rust.add_special_tokens([AddedToken(IMAGE_START), AddedToken(IMAGE_END)])
    return Tokenizer(rust)


def _tokenizer(directory: Path) -> RustTokenizer:
    """The folder's own, if one was put there, else that of the LLaVA it was trained from."""
    for place in (directory, official_folder(_LLAVA)):
        if has_tokenizer(place):
            return official_tokenizer(place)
    raise WeightsError(
        f"{directory} has no tokenizer: 'vlseg weights pull {_LLAVA}' fetches the one it was "
        "trained with, or put its tokenizer.model there"
    )


def _sized(sizes: Mapping[str, Any], directory: Path) -> tuple[HRSegConfig, Shapes]:
    """The configuration, and every shape of ours that follows from it."""
    try:
        config = HRSegConfig.from_dict(sizes)
        return config, own_shapes(lambda: HRSeg(config))
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no LLM-Seg can have all the sizes of {directory}") from error


def _told(directory: Path) -> dict[str, Any]:
    """Sizes that a config.json beside the checkpoint states; the authors publish none."""
    file = directory / CONFIG
    told = read_config(directory).get("vlseg", {}) if file.is_file() else {}
    if not isinstance(told, dict):
        raise WeightsError(f'{file} has a "vlseg" that is no table of sizes')
    return told
