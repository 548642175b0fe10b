"""The tokenizer of an official folder as the one ``tokenizer.json`` that our layout has.

``tokenizer.model`` of LLaMA's family is read without sentencepiece: of this protobuf message only
the pieces count, with their text, score and type.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import check_folder, read_regular, reason_of

_FAST, _SENTENCEPIECE = "tokenizer.json", "tokenizer.model"
_KNOWN = (_FAST, _SENTENCEPIECE, "vocab.json")


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
            return read_fast_tokenizer(file)
        if (directory / _SENTENCEPIECE).is_file():
            return read_sentencepiece_model(directory / _SENTENCEPIECE)
        check_folder(directory)
        # Reads vocab.json, merges.txt and added_tokens.json. tokenizer_config.json names the class;
        # config.json is of a model that transformers does not know, and would be complained of.
        from transformers import AutoTokenizer, PreTrainedConfig

        slow = AutoTokenizer.from_pretrained(
            directory, config=PreTrainedConfig(), local_files_only=True, trust_remote_code=False
        )
        rust: Tokenizer = slow.backend_tokenizer
        return rust
    except WeightsError:
        raise
    except Exception as error:  # tokenizers raises plain Exception
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{directory} has no tokenizer that can be read ({reason})") from error


def read_fast_tokenizer(file: Path) -> Tokenizer:
    """A tokenizer.json. Raises WeightsError if it is missing or damaged."""
    try:
        return Tokenizer.from_str(read_regular(file).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"cannot read the tokenizer {file}: {reason_of(error)}") from error
    except BaseException as error:  # bare Exception, or pyo3's PanicException
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"cannot read the tokenizer {file}: {reason}") from error


def read_sentencepiece_model(file: Path) -> Tokenizer:
    """A byte-pair tokenizer with the file's ids. Raises WeightsError if it is damaged."""
    try:
        data = read_regular(file)
    except OSError as error:
        raise WeightsError(f"cannot read the tokenizer {file}: {reason_of(error)}") from error
    return parse_sentencepiece_model(data, file)


def parse_sentencepiece_model(data: bytes, source: object) -> Tokenizer:
    """The same from what a file holds. source: where that is from, for the error."""
    from google.protobuf.message import DecodeError
    from transformers.convert_slow_tokenizer import import_protobuf

    model = import_protobuf().ModelProto()
    try:
        model.ParseFromString(data)
        unknown = next(piece.piece for piece in model.pieces if piece.type == piece.UNKNOWN)
        ids = {piece.piece: number for number, piece in enumerate(model.pieces)}
        if not all(isinstance(text, str) for text in ids):
            raise DecodeError("a piece is not UTF-8")  # protobuf gives it as bytes
    except (DecodeError, StopIteration) as error:
        raise WeightsError(f"cannot read the tokenizer {source}: it is damaged") from error
    merges = _merges(model.pieces, ids)
    tokenizer = Tokenizer(
        models.BPE(ids, merges, unk_token=unknown, fuse_unk=True, byte_fallback=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    marks = [p.piece for p in model.pieces if p.type in (p.UNKNOWN, p.CONTROL)]
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False) for mark in marks])
    return tokenizer


def _merges(pieces: Sequence[Any], ids: dict[str, int]) -> list[tuple[str, str]]:
    """Every pair that makes a piece, in the order in which sentencepiece would make them."""
    merges: list[tuple[str, str]] = []
    for text in (p.piece for p in sorted(pieces, key=lambda p: -p.score) if p.type == p.NORMAL):
        pairs = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
        known = [pair for pair in pairs if pair[0] in ids and pair[1] in ids]
        merges += sorted(known, key=lambda pair: (ids[pair[0]], ids[pair[1]]))
    return merges
