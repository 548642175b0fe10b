"""Tokenizers of the kinds that the authors publish, with so few rows that golden weights have them.

Bytes or letters are tokens; there are no merges. Characters beyond the alphabet are dropped by the
byte tokenizers and unknown to LLaMA's, as the published ones never are.
"""

import json
import string
import struct
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3  # kinds of pieces in sentencepiece_model.proto
_SPACE = "▁"
LETTERS = string.ascii_letters + string.digits + " \n.,:;?'\"()[]<>/-"


def byte_vocabulary(rows: int, added: Sequence[str], first: str = "") -> dict[str, int]:
    """GPT-2's order: bytes, ``<|endoftext|>``, then what the authors added, which ends at ``rows``.

    first: a character that has id 0.
    """
    bytes_ = [_byte(character) for character in dict.fromkeys(first + LETTERS)]
    fillers = [f"filler{n}" for n in range(rows - len(bytes_) - 1 - len(added))]
    tokens = [*bytes_, *fillers, "<|endoftext|>", *added]
    return {token: number for number, token in enumerate(tokens)}


def _byte(character: str) -> str:
    """How a byte-level tokenizer writes an ASCII character."""
    return chr(ord(character) + 256) if ord(character) <= 32 else character


def byte_tokenizer(vocabulary: dict[str, int], added: Sequence[str]) -> Tokenizer:
    """What ``write_byte_files`` describes."""
    base = {token: number for token, number in vocabulary.items() if token not in added}
    tokenizer = Tokenizer(models.BPE(base, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in added])
    return tokenizer


def write_byte_files(
    folder: Path, kind: str, vocabulary: dict[str, int], added: Sequence[str]
) -> None:
    """vocab.json, merges.txt and what was added, as a slow tokenizer of transformers 4 saves it.

    kind: its class. ``[SEG]`` is an ordinary token, other marks are special.
    """
    base = {token: number for token, number in vocabulary.items() if token not in added}
    described = {
        str(vocabulary[token]): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": not token.startswith("[SEG"),
        }
        for token in ("<|endoftext|>", *added)
    }
    settings = {
        "tokenizer_class": kind,
        "add_prefix_space": False,
        "added_tokens_decoder": described,
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "model_max_length": 2048,
    }
    (folder / "vocab.json").write_text(json.dumps(base))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "added_tokens.json").write_text(json.dumps({t: vocabulary[t] for t in added}))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


LLAMA_PIECES = ("<unk>", "<s>", "</s>", _SPACE, *string.ascii_lowercase, *"ABCHINPRSTUW.,:?'")


def llama_tokenizer() -> Tokenizer:
    """What ``write_sentencepiece`` describes."""
    ids = {piece: number for number, piece in enumerate(LLAMA_PIECES)}
    tokenizer = Tokenizer(models.BPE(ids, [], unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False) for piece in ids][:3])
    return tokenizer


def write_sentencepiece(file: Path) -> None:
    """A tokenizer.model: a protobuf message with a piece after the other."""
    kinds = {"<unk>": _UNKNOWN, "<s>": _CONTROL, "</s>": _CONTROL}
    pieces = []
    for number, piece in enumerate(LLAMA_PIECES):
        text = piece.encode()
        score, kind = struct.pack("<f", -number), bytes([kinds.get(piece, _NORMAL)])
        message = b"\x0a" + bytes([len(text)]) + text + b"\x15" + score + b"\x18" + kind
        pieces.append(b"\x0a" + bytes([len(message)]) + message)
    file.write_bytes(b"".join(pieces))
