"""PSALM as in ``EnmingZhang/PSALM``: shards, config.json and tokenizer.json."""

from pathlib import Path

from miniatures.golden import Tensors, golden, write_config, write_shards
from parity.psalm import golden_model
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models, pre_tokenizers
from torch import Tensor

from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.text.tokenizer import Tokenizer


def tensors() -> dict[str, Tensor]:
    """The golden weights under the authors' names."""
    return golden("psalm").weights()


def write(folder: Path, tensors: Tensors) -> Path:
    """A folder as published."""
    folder.mkdir()
    write_shards(folder, tensors)
    sizes = golden("psalm").config
    llm, decoder = sizes["llm"], sizes["mask_decoder"]["heads"]
    stated = ("num_attention_heads", "max_position_embeddings", "partial_rotary_factor")
    config = {"model_type": "llava_phi", **{key: llm[key] for key in stated}}
    ours = {"image_size": sizes["image_size"], "decoder_heads": decoder}
    write_config(folder, {**config, "vlseg": ours})
    _tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def segmenter() -> PSALMSegmenter:
    """A model with the golden weights, read from no folder."""
    return PSALMSegmenter("golden", golden_model(golden("psalm")), Tokenizer(_tokenizer()), (), ())


def _tokenizer() -> RustTokenizer:
    """Bytes as tokens, as GPT-2's without its merges; ``[SEG]`` last, as the authors add it."""
    size = golden("psalm").config["llm"]["vocab_size"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, "<|endoftext|>", *(f"filler{n}" for n in range(size - 258))]
    tokenizer = RustTokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_tokens(["[SEG]"])
    return tokenizer
