"""Two passes of MVP-LM's language model beside step 2: long lists of names, and captions.

Names: thousands would exceed the language model's positions, and split into lists the result would
depend on the split, as every name attends to those before it. So each name of a list beyond
``names_together`` attends to the beginning of the prompt and to itself alone. The released code
splits such lists into prompts of their own (MVP-LM section 5); shorter lists are encoded as there.

Captions: the paper's model generates one before it predicts.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import ImageFeatures, pad_sequences, repeat_cache
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.text.sequence import TokenSequence

NAMES_PER_PASS = 256


@torch.no_grad()
def encode_names(
    model: MVPLM,
    image_features: ImageFeatures,
    image: int,
    beginning: TokenSequence,
    names: Sequence[Sequence[int]],
    per_pass: int,
) -> Tensor:
    """Each name's mean over its tokens and all layers: (K, D).

    beginning: the prompt up to its first name, and ``<seg>``. names: token ids of each. per_pass:
    names in one pass; it decides the memory, not the result.
    """
    chunks = [names[first : first + per_pass] for first in range(0, len(names), per_pass)]
    return torch.cat(
        [_encode_chunk(model, image_features, image, beginning, chunk) for chunk in chunks]
    )


def _encode_chunk(
    model: MVPLM,
    image_features: ImageFeatures,
    image: int,
    beginning: TokenSequence,
    names: Sequence[Sequence[int]],
) -> Tensor:
    device = image_features.tokens.device
    start = len(beginning.ids) - 1
    lengths = torch.tensor([len(name) for name in names], device=device)
    tokens = torch.tensor([token for name in names for token in name], device=device)
    owner = torch.arange(len(names), device=device).repeat_interleave(lengths)
    first = (lengths.cumsum(0) - lengths)[owner]
    ids = torch.cat([torch.from_numpy(beginning.ids[:-1]).to(device), tokens])
    position = torch.cat(
        [
            torch.arange(start, device=device),
            start + torch.arange(len(tokens), device=device) - first,
        ]
    )
    owners = torch.cat([torch.full((start,), -1, device=device), owner])
    prefix = model.encode_prefix(image_features, beginning.prefix)
    before = prefix.hidden.shape[1]
    embeds = model.embed(ids[None])
    states = model.language(
        inputs_embeds=embeds,
        attention_mask=_attention_bias(owners, before, embeds.dtype),
        position_ids=(before + position)[None],
        cache=repeat_cache(prefix, torch.tensor([image], device=device)),
        use_cache=True,
        output_hidden_states=True,
    ).hidden_states
    mean = torch.stack(states).mean(0)[0, start:]
    pooled = mean.new_zeros(len(names), mean.shape[-1]).index_add_(0, owner, mean)
    return pooled / lengths.unsqueeze(1)


def _attention_bias(owners: Tensor, before: int, dtype: torch.dtype) -> Tensor:
    """(1, 1, L, before + L): 0 at earlier tokens of the beginning (-1) and of the same name."""
    causal = torch.ones(len(owners), len(owners), dtype=torch.bool, device=owners.device).tril()
    allowed = causal & ((owners == -1).unsqueeze(0) | (owners.unsqueeze(0) == owners.unsqueeze(1)))
    allowed = torch.cat([allowed.new_ones(len(owners), before), allowed], 1)
    bias = torch.zeros(allowed.shape, dtype=dtype, device=owners.device)
    return bias.masked_fill(~allowed, torch.finfo(dtype).min)[None, None]


@torch.no_grad()
def generate_captions(
    model: MVPLM,
    image_features: ImageFeatures,
    sequences: Sequence[TokenSequence],
    image_index: Tensor,
    stops: frozenset[int],
) -> list[list[int]]:
    """Greedy continuations of P prompts, up to but without the first of ``stops``.

    sequences: of one prefix, their last position is ``<seg>``, where generation starts.
    """
    opened = [TokenSequence(s.prefix, s.ids[:-1], s.condition[:-1]) for s in sequences]
    prefix = model.encode_prefix(image_features, opened[0].prefix)
    ids, _, real = pad_sequences(opened, image_index.device)
    before = prefix.hidden.shape[1]
    cache = repeat_cache(prefix, image_index)
    visible = torch.cat([real.new_ones(len(ids), before), real], 1)
    rows = torch.arange(len(ids), device=ids.device)
    embeds, position = model.embed(ids), None
    last = real.sum(1) - 1
    generated: list[list[int]] = [[] for _ in sequences]
    running = set(range(len(generated)))
    for step in range(model.config.caption_tokens):
        hidden = model.language(
            inputs_embeds=embeds,
            attention_mask=visible.long(),
            position_ids=position,
            cache=cache,
            use_cache=True,
        ).last_hidden_state
        token = model.lm_head(hidden[rows, last]).argmax(-1)
        running -= {row for row in running if int(token[row]) in stops}
        for row in running:
            generated[row].append(int(token[row]))
        if not running:
            break
        embeds = model.embed(token.unsqueeze(1))
        visible = torch.cat([visible, visible.new_ones(len(ids), 1)], 1)
        position = (before + real.sum(1) + step).unsqueeze(1)
        last = torch.zeros_like(last)
    return generated
