"""Text to token ids with the tokenizer of a model folder (``tokenizer.json``).

The Rust ``tokenizers`` library alone: it loads in milliseconds and needs no torch.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.tokenizer import read_fast_tokenizer

_PIECES, _LONGEST_PIECE = 800, 6  # of a subword tokenizer, beyond single bytes
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
        """The words of a text that are no tokens, as typed: ``[UNK]``, or several pieces.

        None with published tokenizers, which know words in pieces and have no ``[UNK]``.
        """
        if self.unknown is None:
            return []
        encoding = self.rust.encode(text, add_special_tokens=False)
        pieces = Counter(word for word in encoding.word_ids if word is not None)
        unknown = dict.fromkeys(
            word
            for token, word in zip(encoding.ids, encoding.word_ids, strict=True)
            if word is not None and (token == self.unknown or pieces[word] > 1)
        )
        spans = [encoding.word_to_chars(word) for word in unknown]
        typed = [text[span[0] : span[1]] for span in spans if span is not None]
        return [word for word in typed if word.isalnum()]


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


def subword_tokenizer(
    words: Iterable[str], unknown: Iterable[str], marks: Sequence[str] = (UNKNOWN, END, SEG)
) -> Tokenizer:
    """A tokenizer of these words, single punctuation marks, and pieces of any other word.

    The pieces go down to bytes; longer ones are frequent in both lists, none is a whole word of
    ``unknown``.
    """
    words, unknown = sorted(set(words)), sorted(set(unknown))
    rust = RustTokenizer(models.WordPiece(unk_token=UNKNOWN))
    rust.normalizer = normalizers.Lowercase()
    rust.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
        ]
    )
    bytes_ = pre_tokenizers.ByteLevel.alphabet()
    start = pre_tokenizers.ByteLevel(add_prefix_space=True).pre_tokenize_str("a")[0][0][0]
    pieces = {start, *(f"##{byte}" for byte in bytes_)}
    pieces |= {*_frequent_pieces([*words, *unknown], start)}
    pieces -= {start + word for word in unknown}
    tokens = (*marks, *(start + word for word in words), *sorted(pieces))
    rust.model = models.WordPiece(
        {token: number for number, token in enumerate(dict.fromkeys(tokens))}, unk_token=UNKNOWN
    )
    rust.decoder = decoders.Sequence([decoders.Replace("##", ""), decoders.ByteLevel()])
    rust.add_special_tokens([*marks])
    return Tokenizer(rust)


def _frequent_pieces(words: Iterable[str], start: str) -> list[str]:
    """Beginnings and later parts of words that save most tokens.

    The trainer of the library breaks ties at random.
    """
    counts: Counter[str] = Counter()
    for word in words:
        for begin in range(len(word)):
            mark = "##" if begin else start
            ends = range(begin + 2, min(begin + _LONGEST_PIECE, len(word)) + 1)
            counts.update(mark + word[begin:end] for end in ends)
    saved = {piece: count * (len(piece) - 2) for piece, count in counts.items() if count > 1}
    return sorted(saved, key=lambda piece: (-saved[piece], piece))[:_PIECES]


def new_tokenizer(
    words: Iterable[str], unknown: Sequence[str], marks: Sequence[str] = (UNKNOWN, END, SEG)
) -> Tokenizer:
    """For a model with random weights: a word tokenizer, or with ``unknown`` a subword one."""
    return subword_tokenizer(words, unknown, marks) if unknown else word_tokenizer(words, marks)


def miniature_tokenizer(words: Iterable[str], unknown: Sequence[str] = ()) -> Tokenizer:
    """A tokenizer for these words and those of the miniatures' instructions ("plain")."""
    known = sorted({*words, "segment", "find", "point", "background"})
    return new_tokenizer(known, unknown)
