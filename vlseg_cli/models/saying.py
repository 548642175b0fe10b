"""The language model's own words: greedy, one token after another, about one picture."""

from collections.abc import Callable, Sequence

import torch

from vlseg_cli.models.hyperseg import HyperSeg, Seen
from vlseg_cli.models.steps import embed, past_of
from vlseg_cli.prompts.sequence import TokenSequence


@torch.no_grad()
def say(
    model: HyperSeg,
    seen: Seen,
    sequence: TokenSequence,
    picture: int,
    most: int,
    ended: Callable[[Sequence[int]], bool],
) -> list[int]:
    """Go on after a prompt for at most ``most`` tokens, or until what was said has ``ended``."""
    device = seen.tokens.device
    past = past_of(model.read_prefix(seen, sequence), torch.tensor([picture], device=device))
    ids = torch.from_numpy(sequence.ids)[None].to(device)
    said: list[int] = []
    while len(said) < most and not ended(said):
        hidden = model.language(
            inputs_embeds=embed(model.language, ids, model.seg_query),
            past_key_values=past,
            use_cache=True,
        ).last_hidden_state
        logits = model.lm_head(hidden[0, -1])[: model.config.vocabulary]
        said.append(int(logits.argmax()))
        ids = torch.tensor([[said[-1]]], device=device)
    return said
