"""Two real tokenizers: bytes merged as GPT-2 does it, and the miniature's words."""

import pytest
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

from vlseg_cli.text.tokenizer import END, SEG, Tokenizer, word_tokenizer

TEXT = (
    "This is an image, Please do Panoptic Segmentation. This is all the candidate categories: "
    "cat, dog, background. Sure, the segmentation result is a cat on the left of a dog."
)


@pytest.fixture(scope="session")
def bytes_tokenizer() -> Tokenizer:
    """Byte pairs with GPT-2's splitting, where a word with a space before it is another token."""
    rust = RustTokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[END, SEG],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rust.train_from_iterator([TEXT] * 3, trainer)
    return Tokenizer(rust)


@pytest.fixture(scope="session")
def words() -> Tokenizer:
    """The miniature's kind, of a few words."""
    return word_tokenizer(["cat", "dog", "the", "segment", "find", "point", "background", ",", "?"])
