"""The miniature tokenizer has every word of the synthetic scenes."""

from vlseg_cli.schema import Expression, Question
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.samples import synthetic_sample
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import miniature_tokenizer


def test_the_miniature_tokenizer_has_every_synthetic_word() -> None:
    tokenizer = miniature_tokenizer(words())
    said = [
        query.prompt.text
        for seed in range(900_000, 900_010)
        for query in synthetic_sample(seed, 96).queries
        if isinstance(query.prompt, Expression | Question)
    ]
    assert len(said) > 50
    for text in (*said, *NAMES, "segment find point background"):
        assert tokenizer.unknown not in tokenizer.ids(text)
