"""Who may look at whom in SELF1E's language model: words as ever, image tokens at the answer, too.

Image tokens see each other and every ``[SEG]``, so that what was asked flows back into the picture;
all words stay causal. Source: SELF1E section 5 (``get_cus_attn_mask``).
"""

import torch
from torch import Tensor


def two_pathway_mask(image: Tensor, seg: Tensor, padding: Tensor) -> Tensor:
    """(B, L) bool each: image tokens, ``[SEG]`` tokens, padding -> (B, 1, L, L) bool, True where
    the query (second last axis) may look at the key (last axis).

    A row without ``[SEG]`` is causal. Nobody looks at padding but itself, which keeps its softmax
    defined; without any ``[SEG]`` in the batch not even that, as in the authors' code.
    """
    length = image.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=image.device).tril()
    shown = (image & seg.any(1, keepdim=True)) | seg
    allowed = causal | (image.unsqueeze(2) & shown.unsqueeze(1))
    allowed = allowed & ~padding.unsqueeze(1)
    if seg.any():
        allowed = allowed | torch.eye(length, dtype=torch.bool, device=image.device)
    return allowed.unsqueeze(1)
