"""PSALM in words: the language model goes on after a question, the likeliest token each time.

Source: PSALM sections 5 (conversations) and 4 (lm_head); the authors' repository has no code that
passes pictures to a generation, so this is their training sequence, read from left to right.
"""

import torch
from torch import Tensor

from vlseg_cli.models.psalm import PSALM, Seen
from vlseg_cli.prompts.sequence import TokenSequence

MOST_WORDS = 64  # tokens of an answer


def talk(
    psalm: PSALM,
    seen: Seen,
    picture: int,
    question: TokenSequence,
    end: int | None,
    most: int = MOST_WORDS,
) -> list[int]:
    """The tokens of an answer about one picture, without ``end``, which ends it; at most ``most``,
    and no more than the language model has positions for."""
    pictures = torch.tensor([picture], device=seen.tokens.device)
    prefix = psalm.read_prefix(seen, question.prefix)
    past = prefix.past(pictures)
    ids = torch.from_numpy(question.ids).to(pictures.device)[None]
    room = psalm.config.positions - prefix.hidden.shape[1] - ids.shape[1]
    said: list[int] = []
    while len(said) < min(most, room):
        hidden: Tensor = psalm.language(
            inputs_embeds=psalm.language.embed_tokens(ids), past_key_values=past, use_cache=True
        ).last_hidden_state
        token = int(psalm.lm_head(hidden[0, -1]).argmax())
        if token == end:
            break
        said.append(token)
        ids = torch.tensor([[token]], device=pictures.device)
    return said
