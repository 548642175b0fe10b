"""MVP-LM in its own words: the caption that it gives before it perceives, greedily.

All prompts speak at once; each stops at its summary token, at the end of text or at the limit.
"""

from collections.abc import Sequence

import torch

from vlseg_cli.models.mask2former.modeling import ImageFeatures, pad_sequences, repeat_cache
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.text.sequence import TokenSequence


@torch.no_grad()
def generate_captions(
    model: MVPLM,
    seen: ImageFeatures,
    sequences: Sequence[TokenSequence],
    pictures: torch.Tensor,
    stops: frozenset[int],
) -> list[list[int]]:
    """What follows each prompt, up to but without the first of ``stops``.

    sequences: of one prefix, their last position is ``<seg>``, in whose place the model speaks.
    """
    opened = [TokenSequence(s.prefix, s.ids[:-1], s.condition[:-1]) for s in sequences]
    prefix = model.encode_prefix(seen, opened[0].prefix)
    ids, _, real = pad_sequences(opened, pictures.device)
    before = prefix.hidden.shape[1]
    past = repeat_cache(prefix, pictures)
    visible = torch.cat([real.new_ones(len(ids), before), real], 1)
    rows = torch.arange(len(ids), device=ids.device)
    embeds, place = model.embed(ids), None
    last = real.sum(1) - 1
    said: list[list[int]] = [[] for _ in sequences]
    speaking = set(range(len(said)))
    for step in range(model.config.caption_tokens):
        hidden = model.language(
            inputs_embeds=embeds,
            attention_mask=visible.long(),
            position_ids=place,
            cache=past,
            use_cache=True,
        ).last_hidden_state
        token = model.lm_head(hidden[rows, last]).argmax(-1)
        speaking -= {row for row in speaking if int(token[row]) in stops}
        for row in speaking:
            said[row].append(int(token[row]))
        if not speaking:
            break
        embeds = model.embed(token.unsqueeze(1))
        visible = torch.cat([visible, visible.new_ones(len(ids), 1)], 1)
        place = (before + real.sum(1) + step).unsqueeze(1)
        last = torch.zeros_like(last)
    return said
