"""``tokenizer.model`` of LLaMA's family as a tokenizer of the Rust library, without sentencepiece.

The file is a protobuf message of which only the pieces count: their text, score and kind.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from vlseg_cli.schema import WeightsError

_PIECES, _TEXT, _SCORE, _KIND = 1, 1, 2, 3  # field numbers of sentencepiece_model.proto
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_VARINT, _LONG, _BYTES, _WORD = 0, 1, 2, 5  # wire types


class _Piece(NamedTuple):
    text: str
    score: float
    kind: int


def read_sentencepiece_model(file: Path) -> Tokenizer:
    """A byte-pair tokenizer with the file's ids. Raises WeightsError if it is damaged."""
    try:
        pieces = [_piece(message) for message in _messages(file.read_bytes())]
        ids = {piece.text: number for number, piece in enumerate(pieces)}
        unknown = next(piece.text for piece in pieces if piece.kind == _UNKNOWN)
    except (OSError, ValueError, IndexError, StopIteration) as error:
        raise WeightsError(f"cannot read the tokenizer {file}: it is damaged") from error
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
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire = tag & 7
        begin = place
        if wire == _VARINT:
            _, place = _varint(data, place)
        elif wire == _BYTES:
            length, begin = _varint(data, place)
            place = begin + length
        elif wire in (_LONG, _WORD):
            place += 8 if wire == _LONG else 4
        else:
            raise ValueError("an unknown kind of field")
        if place > len(data):
            raise ValueError("the file breaks off")
        yield tag >> 3, data[begin:place]


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
