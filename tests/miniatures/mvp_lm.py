"""MVP-LM as its authors' training script saves it: one .bin with every alias, a slow tokenizer."""

from dataclasses import replace
from pathlib import Path

from miniatures.golden import Tensors, golden, write_bin, write_config
from miniatures.tokenizers import byte_tokenizer, byte_vocabulary, write_byte_files
from parity.mvp_lm_golden import config_of
from torch import Tensor

from vlseg_cli.models.mvp_lm.conversion import mvp_lm_rules
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.mvp_lm.segmenter import MVPLMSegmenter
from vlseg_cli.text.tokenizer import Tokenizer

_SIDE = 192  # px: the file's canvas is 128 x 192
_ADDED = ("[PAD]", "[SEG]")


def tensors() -> dict[str, Tensor]:
    """The golden weights under the authors' names."""
    return golden("mvp-lm").weights()


def write(folder: Path, tensors: Tensors) -> Path:
    """A folder as the authors' script saves it."""
    folder.mkdir()
    write_bin(folder, tensors)
    config = {
        "architectures": ["PSALM"],
        "model_type": "openseed_phi",
        "num_attention_heads": golden("mvp-lm").config["phi"]["heads"],
        "max_position_embeddings": 2048,
        "partial_rotary_factor": 0.5,
        "mm_projector_type": "swin_conv",
        "mask_decode_train": True,
    }
    write_config(folder, {**config, "vlseg": {"image_size": _SIDE}})
    write_byte_files(folder, "CodeGenTokenizer", _vocabulary(), _ADDED)
    return folder


def segmenter() -> MVPLMSegmenter:
    """A model with the golden weights, read from no folder."""
    file = golden("mvp-lm")
    config = replace(config_of(file), image_size=_SIDE)
    model = MVPLM(config).eval()
    file.fill(model, mvp_lm_rules(config.language_heads, config.vocabulary, file.weights()))
    return MVPLMSegmenter("golden", model, Tokenizer(byte_tokenizer(_vocabulary(), _ADDED)), (), ())


def _vocabulary() -> dict[str, int]:
    return byte_vocabulary(golden("mvp-lm").config["phi"]["vocab"], _ADDED)
