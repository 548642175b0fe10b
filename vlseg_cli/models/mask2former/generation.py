"""The language model's own words: greedy, one token after another, about one picture."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import PhiModel

from vlseg_cli.models.mask2former.modeling import PrefixCache, embed_tokens, repeat_cache
from vlseg_cli.text.sequence import TokenSequence

MAX_NEW_TOKENS = 64  # of an answer in a conversation, in tokens


class TextGenerator(Protocol):
    """A model with a head for words; its config has ``vocabulary`` and ``positions``."""

    config: Any
    language: PhiModel
    lm_head: nn.Linear
    seg_query: nn.Parameter


@torch.no_grad()
def generate_text(
    model: TextGenerator,
    prefix: PrefixCache,
    picture: int,
    sequence: TokenSequence,
    ended: Callable[[Sequence[int]], bool],
    most: int = MAX_NEW_TOKENS,
) -> list[int]:
    """Go on after a prompt until what was said has ``ended``, for at most ``most`` tokens and as
    many as the language model has positions for."""
    device = prefix.hidden.device
    past = repeat_cache(prefix, torch.tensor([picture], device=device))
    ids = torch.from_numpy(sequence.ids)[None].to(device)
    room = model.config.positions - prefix.hidden.shape[1] - ids.shape[1]
    said: list[int] = []
    while len(said) < min(most, room) and not ended(said):
        hidden: Tensor = model.language(
            inputs_embeds=embed_tokens(model.language, ids, model.seg_query),
            cache=past,
            use_cache=True,
        ).last_hidden_state
        logits = model.lm_head(hidden[0, -1])[: model.config.vocabulary]
        said.append(int(logits.argmax()))
        ids = torch.tensor([[said[-1]]], device=device)
    return said
