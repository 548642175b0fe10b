"""The language model's own words: greedy, one token after another, about one picture."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import PhiModel

from vlseg_cli.models.steps import Prefix, embed, past_of
from vlseg_cli.prompts.sequence import TokenSequence

MOST_WORDS = 64  # of an answer in a conversation, in tokens


class Speaker(Protocol):
    """A model with a head for words; its config has ``vocabulary`` and ``positions``."""

    config: Any
    language: PhiModel
    lm_head: nn.Linear
    seg_query: nn.Parameter


@torch.no_grad()
def say(
    model: Speaker,
    prefix: Prefix,
    picture: int,
    sequence: TokenSequence,
    ended: Callable[[Sequence[int]], bool],
    most: int = MOST_WORDS,
) -> list[int]:
    """Go on after a prompt until what was said has ``ended``, for at most ``most`` tokens and as
    many as the language model has positions for."""
    device = prefix.hidden.device
    past = past_of(prefix, torch.tensor([picture], device=device))
    ids = torch.from_numpy(sequence.ids)[None].to(device)
    room = model.config.positions - prefix.hidden.shape[1] - ids.shape[1]
    said: list[int] = []
    while len(said) < min(most, room) and not ended(said):
        hidden: Tensor = model.language(
            inputs_embeds=embed(model.language, ids, model.seg_query),
            past_key_values=past,
            use_cache=True,
        ).last_hidden_state
        logits = model.lm_head(hidden[0, -1])[: model.config.vocabulary]
        said.append(int(logits.argmax()))
        ids = torch.tensor([[said[-1]]], device=device)
    return said
