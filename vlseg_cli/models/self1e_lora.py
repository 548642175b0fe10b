"""Low-rank adapters on both towers, as the paper trains SELF1E, and back into plain weights.

The authors' one adapter on the fused q, k and v of a vision layer is one on each of them here, as
transformers keeps them apart: each has an A of its own instead of a common one.
"""

import copy

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer

from vlseg_cli.models.self1e import SELF1E

_LANGUAGE = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
_VISION = ["q_proj", "k_proj", "v_proj", "projection_layer", "fc1", "fc2"]
MARK = "lora_"  # in the name of every adapter's weight


def add_lora(model: SELF1E, rank: int, alpha: float, dropout: float) -> None:
    """Put adapters that change nothing yet on every layer of both towers."""
    towers = model.internvl.model
    for tower, targets in ((towers.language_model, _LANGUAGE), (towers.vision_tower, _VISION)):
        adapters = LoraConfig(
            r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=targets, bias="none"
        )
        inject_adapter_in_model(adapters, tower)


def without_lora(model: SELF1E) -> SELF1E:
    """A copy whose plain weights do what weights and adapters did together."""
    plain = copy.deepcopy(model)
    for name, module in list(plain.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge()
            plain.set_submodule(name, module.base_layer)
    return plain
