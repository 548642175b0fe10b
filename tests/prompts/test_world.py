"""A miniature reads every word that the drawn world says."""

from vlseg_cli.prompts.world import world_tokenizer
from vlseg_cli.schema import Expression, Question
from vlseg_cli.worlds.categories import NAMES
from vlseg_cli.worlds.samples import world_sample


def test_every_word_of_the_world_is_known() -> None:
    tokenizer = world_tokenizer()
    said = [
        query.prompt.text
        for seed in range(900_000, 900_010)
        for query in world_sample(seed, 96).queries
        if isinstance(query.prompt, Expression | Question)
    ]
    assert len(said) > 50
    for text in (*said, *NAMES, "segment find point background"):
        assert tokenizer.unknown not in tokenizer.ids(text)
