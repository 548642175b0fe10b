"""The tokenizer of an official folder as the one ``tokenizer.json`` that our layout has."""

from pathlib import Path

from tokenizers import Tokenizer

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.sentencepiece_model import read_sentencepiece_model

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
