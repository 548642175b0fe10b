"""The tokenizer of an official folder as the one ``tokenizer.json`` that our layout has.

``tokenizer.model`` of LLaMA's family is read without sentencepiece: a protobuf message of which
only the pieces count, with their text, score and kind.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from vlseg_cli.schema import WeightsError

_FAST, _SENTENCEPIECE = "tokenizer.json", "tokenizer.model"
_KNOWN = (_FAST, _SENTENCEPIECE, "vocab.json")
_PIECES, _TEXT, _SCORE, _KIND = 1, 1, 2, 3  # field numbers of sentencepiece_model.proto
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_VARINT, _LONG, _BYTES, _WORD = 0, 1, 2, 5  # wire types


def has_tokenizer(directory: Path) -> bool:
    """Whether any tokenizer's files lie there."""
    return any((directory / name).is_file() for name in _KNOWN)


def official_tokenizer(directory: Path) -> Tokenizer:
    """Read whatever tokenizer files lie there; no code of the folder's is run.

    Raises WeightsError if they are missing or damaged.
    """
    file = directory / _FAST
    try:
        if file.is_file():
            return Tokenizer.from_file(str(file))
        if (directory / _SENTENCEPIECE).is_file():
            return read_sentencepiece_model(directory / _SENTENCEPIECE)
        # Reads vocab.json, merges.txt and added_tokens.json. tokenizer_config.json names the class;
        # config.json is of a model that transformers does not know, and would be complained of.
        from transformers import AutoTokenizer, PreTrainedConfig

        slow = AutoTokenizer.from_pretrained(
            directory, config=PreTrainedConfig(), local_files_only=True, trust_remote_code=False
        )
        rust: Tokenizer = slow.backend_tokenizer
        return rust
    except Exception as error:  # tokenizers raises plain Exception
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{directory} has no tokenizer that can be read ({reason})") from error


class _Piece(NamedTuple):
    text: str
    score: float
    kind: int


def read_sentencepiece_model(file: Path) -> Tokenizer:
    """A byte-pair tokenizer with the file's ids. Raises WeightsError if it is damaged."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read the tokenizer {file}: {error.strerror}") from error
    return parse_sentencepiece_model(data, file)


def parse_sentencepiece_model(data: bytes, source: object) -> Tokenizer:
    """The same from what a file holds. source: where that is from, for the error."""
    try:
        pieces = [_piece(message) for message in _messages(data)]
        ids = {piece.text: number for number, piece in enumerate(pieces)}
        unknown = next(piece.text for piece in pieces if piece.kind == _UNKNOWN)
    except (ValueError, IndexError, StopIteration) as error:
        raise WeightsError(f"cannot read the tokenizer {source}: it is damaged") from error
    tokenizer = Tokenizer(
        models.BPE(ids, _merges(pieces, ids), unk_token=unknown, fuse_unk=True, byte_fallback=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    marks = [piece.text for piece in pieces if piece.kind in (_UNKNOWN, _CONTROL)]
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False) for mark in marks])
    return tokenizer


def _merges(pieces: list[_Piece], ids: dict[str, int]) -> list[tuple[str, str]]:
    """Every pair that makes a piece, in the order in which sentencepiece would make them."""
    merges: list[tuple[str, str]] = []
    order = sorted(range(len(pieces)), key=lambda number: -pieces[number].score)
    for text in (pieces[number].text for number in order if pieces[number].kind == _NORMAL):
        pairs = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
        known = [pair for pair in pairs if pair[0] in ids and pair[1] in ids]
        merges += sorted(known, key=lambda pair: (ids[pair[0]], ids[pair[1]]))
    return merges


def _messages(data: bytes) -> Iterator[bytes]:
    return (value for number, value in _fields(data) if number == _PIECES)


def _piece(message: bytes) -> _Piece:
    text, score, kind = "", 0.0, _NORMAL
    for number, value in _fields(message):
        if number == _TEXT:
            text = value.decode()
        elif number == _SCORE:
            (score,) = struct.unpack("<f", value)
        elif number == _KIND:
            kind = value[0]
    return _Piece(text, score, kind)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field; numbers of one byte suffice for kinds."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        begin = position
        if wire == _VARINT:
            _, position = _varint(data, position)
        elif wire == _BYTES:
            length, begin = _varint(data, position)
            position = begin + length
        elif wire in (_LONG, _WORD):
            position += 8 if wire == _LONG else 4
        else:
            raise ValueError("an unknown kind of field")
        if position > len(data):
            raise ValueError("the file breaks off")
        yield tag >> 3, data[begin:position]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    number = shift = 0
    while True:
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
