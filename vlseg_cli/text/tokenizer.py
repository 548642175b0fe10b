"""Text to token ids with the tokenizer of a model folder (``tokenizer.json``).

The Rust ``tokenizers`` library alone: it loads in milliseconds and needs no torch.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Regex, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.tokenizer import read_fast_tokenizer

SEG, UNKNOWN, END = "[SEG]", "[UNK]", "<|endoftext|>"


class Tokenizer:
    """Adds no special tokens. ``seg``: id of ``[SEG]``; ``unknown`` and ``end`` (of text) may be
    None."""

    def __init__(self, rust: RustTokenizer) -> None:
        seg = rust.token_to_id(SEG)
        if seg is None:
            raise WeightsError(f"the tokenizer has no {SEG} token: it is not a segmenter's")
        self.rust = rust
        self.seg: int = seg
        self.unknown: int | None = rust.token_to_id(UNKNOWN)
        self.end: int | None = rust.token_to_id(END)

    @classmethod
    def load(cls, file: Path) -> "Tokenizer":
        """Read a tokenizer.json. Raises WeightsError if it is missing or damaged."""
        return cls(read_fast_tokenizer(file))

    def save(self, file: Path) -> None:
        """Write tokenizer.json. Raises OSError."""
        file.write_text(self.rust.to_str(pretty=True), "utf-8")

    def __len__(self) -> int:
        return int(self.rust.get_vocab_size())

    def ids(self, text: str) -> list[int]:
        """Token ids of a text; marks like ``[SEG]`` in it become their own ids."""
        return list(self.rust.encode(text, add_special_tokens=False).ids)

    def text(self, ids: Sequence[int]) -> str:
        """Decode tokens, without ``[SEG]``, the end and other special tokens."""
        kept = [token for token in ids if token not in (self.seg, self.end)]
        return str(self.rust.decode(kept, skip_special_tokens=True)).strip()

    def has_ended(self, generated: Sequence[int]) -> bool:
        """Whether the last token is the end of text."""
        return bool(generated) and generated[-1] == self.end

    def unknown_words(self, text: str) -> list[str]:
        """The words of a text that become ``[UNK]``, as typed; none with subword tokenizers."""
        encoding = self.rust.encode(text, add_special_tokens=False)
        return [
            text[start:end]
            for token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
            if token == self.unknown and text[start:end].isalnum()
        ]


def word_tokenizer(words: Iterable[str], marks: Sequence[str] = (UNKNOWN, END, SEG)) -> Tokenizer:
    """A word-level tokenizer of these words (lower case) and single punctuation marks.

    Anything else becomes ``[UNK]``. For miniatures. marks: special tokens, first in the vocabulary.
    """
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys((*marks, *words)))}
    rust = RustTokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    rust.normalizer = normalizers.Lowercase()
    rust.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True)
    rust.add_special_tokens([*marks])
    return Tokenizer(rust)


def miniature_tokenizer(words: Iterable[str]) -> Tokenizer:
    """A word tokenizer for these words and those of the miniatures' instructions ("plain")."""
    return word_tokenizer(sorted({*words, "segment", "find", "point", "background"}))
