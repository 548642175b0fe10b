"""SELF1E as an InternVL of its authors: shards, their config.json, Qwen's slow tokenizer."""

from pathlib import Path

from miniatures.golden import Tensors, golden, write_config, write_shards
from miniatures.tokenizers import byte_tokenizer, byte_vocabulary, write_byte_files
from parity.self1e_golden import golden_model
from torch import Tensor

from vlseg_cli.models.self1e.segmenter import SELF1ESegmenter
from vlseg_cli.text.tokenizer import Tokenizer

_ADDED = ("<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", "[SEG]", "[SEGT]")
_CODE = {"AutoConfig": "configuration_internvl_chat.InternVLChatConfig"}


def tensors() -> dict[str, Tensor]:
    """The golden weights under the authors' names."""
    return golden("self1e").weights()


def write(folder: Path, tensors: Tensors) -> Path:
    """A folder as published; its config.json names code, which is not run."""
    folder.mkdir()
    write_shards(folder, tensors)
    config = {"model_type": "internvl_chat", "auto_map": _CODE, **golden("self1e").config}
    write_config(folder, config)
    write_byte_files(folder, "Qwen2Tokenizer", _vocabulary(), _ADDED)
    return folder


def segmenter() -> SELF1ESegmenter:
    """A model with the golden weights, read from no folder."""
    tokenizer = Tokenizer(byte_tokenizer(_vocabulary(), _ADDED))
    return SELF1ESegmenter("golden", golden_model(golden("self1e")), tokenizer, (), ())


def _vocabulary() -> dict[str, int]:
    """``!`` is id 0, with which the authors pad."""
    rows = golden("self1e").config["llm_config"]["vocab_size"]
    return byte_vocabulary(rows, _ADDED, first="!")
