"""From a published InternVL to a SELF1E that is still to be trained: new heads, a word for masks.

Source: SELF1E section 9.2: new rows of embedding and output head begin as the mean of all others.
"""

from pathlib import Path

import torch
from torch import Tensor

from vlseg_cli.models.checkpoint import part_names
from vlseg_cli.models.official import read_config
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.conversion import SELF1E_RULES, official_self1e_tokenizer
from vlseg_cli.models.self1e.modeling import SELF1E
from vlseg_cli.models.self1e.sizes import self1e_sizes
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.conversion.rules import convert
from vlseg_cli.weights.folder import load_into
from vlseg_cli.weights.read.checkpoint import read_checkpoint

_HEAD, _EMBEDDINGS = (
    "internvl.lm_head.weight",
    "internvl.model.language_model.embed_tokens.weight",
)
_JITTER = 1e-5  # what tells new words apart


def init_from_internvl(directory: Path) -> tuple[SELF1E, Tokenizer, tuple[str, ...]]:
    """Random heads on the weights of an official folder, base model or SELF1E; the latter brings
    its own heads. Last come the names of the parts that begin anew.

    Raises WeightsError if it is damaged or another model's."""
    theirs = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in theirs.items()}
    sizes = self1e_sizes(shapes, read_config(directory))
    tokenizer = official_self1e_tokenizer(directory)
    sizes["vocabulary"] = max(sizes["vocabulary"], len(tokenizer))
    model = SELF1E(SELF1EConfig.from_dict(sizes))
    ours: dict[str, Tensor] = {}
    for name, tensor in theirs.items():
        ours |= convert(SELF1E_RULES, name, tensor.float())
    if _HEAD not in ours and _EMBEDDINGS in ours:
        ours[_HEAD] = ours[_EMBEDDINGS]
    for name in {_HEAD, _EMBEDDINGS} & ours.keys():
        ours[name] = _grown(ours[name], sizes["vocabulary"])
    new = {n: t for n, t in model.state_dict().items() if n.startswith("refill.")}
    load_into(model, new | ours, directory)
    return model, tokenizer, part_names(new.keys() - ours.keys())


def _grown(table: Tensor, rows: int) -> Tensor:
    """(V, D) -> (rows, D)."""
    mean = table.mean(0, keepdim=True)
    new = mean + _JITTER * torch.randn(rows - len(table), table.shape[1])
    return torch.cat([table, new])
