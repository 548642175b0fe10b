"""The tokenizer of an official folder as the one ``tokenizer.json`` that our layout has."""

from pathlib import Path

from tokenizers import Tokenizer

from vlseg_cli.schema import WeightsError

_FAST = "tokenizer.json"


def official_tokenizer(directory: Path) -> Tokenizer:
    """Read whatever tokenizer files lie there; no code of the folder's is run.

    Raises WeightsError if they are missing or damaged.
    """
    file = directory / _FAST
    try:
        if file.is_file():
            return Tokenizer.from_file(str(file))
        from transformers import AutoTokenizer  # reads vocab.json, merges.txt, added_tokens.json

        slow = AutoTokenizer.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False
        )
        rust: Tokenizer = slow.backend_tokenizer
        return rust
    except Exception as error:  # tokenizers raises plain Exception
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{directory} has no tokenizer that can be read ({reason})") from error
