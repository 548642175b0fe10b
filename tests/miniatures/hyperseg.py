"""HyperSeg as its authors' script saves it: shards, Mipha's config.json, Phi-2's slow tokenizer."""

from pathlib import Path

from miniatures.golden import Tensors, golden, write_config, write_shards
from miniatures.tokenizers import byte_tokenizer, byte_vocabulary, write_byte_files
from parity.hyperseg_golden import golden_model
from torch import Tensor

from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.text.tokenizer import Tokenizer

_ADDED = ("[SEG]",)


def tensors() -> dict[str, Tensor]:
    """The golden weights under the authors' names."""
    return golden("hyperseg").weights()


def write(folder: Path, tensors: Tensors) -> Path:
    """A folder as published."""
    folder.mkdir()
    write_shards(folder, tensors)
    sizes = golden("hyperseg").config
    phi, siglip = sizes["phi"], sizes["siglip"]
    tower = {key: siglip[key] for key in ("num_attention_heads", "image_size", "patch_size")}
    config = {
        "architectures": ["MiphaPhiForCausalLM"],
        "model_type": "mipha_phi",
        "num_attention_heads": phi["num_attention_heads"],
        "partial_rotary_factor": phi["partial_rotary_factor"],
        "vocab_size": phi["vocab_size"],
        "max_position_embeddings": 2048,
        "vision_config": {
            "vision_tower": {**tower, "mm_vision_select_layer": -2},
            "mm_projector": {"mm_projector_type": "mlp2x_gelu"},
        },
        "mask_decode_train": True,
        "swin_type": "base",
    }
    write_config(folder, {**config, "vlseg": {"image_size": sizes["image_size_swin"]}})
    write_byte_files(folder, "CodeGenTokenizer", _vocabulary(), _ADDED)
    return folder


def segmenter() -> HyperSegSegmenter:
    """A model with the golden weights, read from no folder."""
    tokenizer = Tokenizer(byte_tokenizer(_vocabulary(), _ADDED))
    return HyperSegSegmenter("golden", golden_model(golden("hyperseg")), tokenizer, (), ())


def _vocabulary() -> dict[str, int]:
    return byte_vocabulary(golden("hyperseg").config["phi"]["vocab_size"], _ADDED)
