"""Thousands of names about one picture: each is read by itself, as if it were the only one.

A long list would outgrow the language model's positions, and cut into lists it would depend on
where the cuts fall, as every name sees those before it. So names beyond ``names_together`` see the
beginning of the prompt and themselves alone; how many go through the model at once changes nothing
but the memory needed. The released code cuts such lists and lets every part ask for itself (MVP-LM
section 5); its shorter lists are read here as there.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import ImageFeatures, repeat_cache
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.text.sequence import TokenSequence

NAMES_AT_ONCE = 256  # in one pass


@torch.no_grad()
def read_names_apart(
    model: MVPLM,
    seen: ImageFeatures,
    picture: int,
    beginning: TokenSequence,
    names: Sequence[Sequence[int]],
    at_once: int,
) -> Tensor:
    """Each name's mean over its tokens and all layers: (K, D).

    beginning: the prompt up to its first name, and ``<seg>``. names: token ids of each.
    """
    parts = [names[first : first + at_once] for first in range(0, len(names), at_once)]
    return torch.cat([_read_part(model, seen, picture, beginning, part) for part in parts])


def _read_part(
    model: MVPLM,
    seen: ImageFeatures,
    picture: int,
    beginning: TokenSequence,
    names: Sequence[Sequence[int]],
) -> Tensor:
    device = seen.tokens.device
    start = len(beginning.ids) - 1
    lengths = torch.tensor([len(name) for name in names], device=device)
    words = torch.tensor([token for name in names for token in name], device=device)
    owner = torch.arange(len(names), device=device).repeat_interleave(lengths)
    first = (lengths.cumsum(0) - lengths)[owner]
    ids = torch.cat([torch.from_numpy(beginning.ids[:-1]).to(device), words])
    place = torch.cat(
        [
            torch.arange(start, device=device),
            start + torch.arange(len(words), device=device) - first,
        ]
    )
    whose = torch.cat([torch.full((start,), -1, device=device), owner])
    prefix = model.encode_prefix(seen, beginning.prefix)
    before = prefix.hidden.shape[1]
    embeds = model.embed(ids[None])
    states = model.language(
        inputs_embeds=embeds,
        attention_mask=_visible(whose, before, embeds.dtype),
        position_ids=(before + place)[None],
        cache=repeat_cache(prefix, torch.tensor([picture], device=device)),
        use_cache=True,
        output_hidden_states=True,
    ).hidden_states
    mean = torch.stack(states).mean(0)[0, start:]
    pooled = mean.new_zeros(len(names), mean.shape[-1]).index_add_(0, owner, mean)
    return pooled / lengths.unsqueeze(1)


def _visible(whose: Tensor, before: int, dtype: torch.dtype) -> Tensor:
    """Attention bias (1, 1, L, before + L): everything earlier that belongs to all (-1) or to the
    same name."""
    earlier = torch.ones(len(whose), len(whose), dtype=torch.bool, device=whose.device).tril()
    seen = earlier & ((whose == -1).unsqueeze(0) | (whose.unsqueeze(0) == whose.unsqueeze(1)))
    seen = torch.cat([seen.new_ones(len(whose), before), seen], 1)
    return torch.zeros(seen.shape, dtype=dtype, device=whose.device).masked_fill(
        ~seen, torch.finfo(dtype).min
    )[None, None]
