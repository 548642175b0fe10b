"""Low-rank adapters on LLaMA's queries and values, as LLM-Seg has them, and back into weights.

Source: HRSeg section 5.4.
"""

import copy

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer

from vlseg_cli.models.hrseg import HRSeg

_ADAPTED = ["q_proj", "v_proj"]
MARK = "lora_"  # in the name of every adapter's weight


def add_lora(model: HRSeg, rank: int, alpha: float, dropout: float) -> None:
    """Put adapters that change nothing yet on every layer of the language model."""
    adapters = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=_ADAPTED, bias="none"
    )
    inject_adapter_in_model(adapters, model.llava.language)


def without_lora(model: HRSeg) -> HRSeg:
    """A copy whose plain weights do what weights and adapters did together."""
    plain = copy.deepcopy(model)
    for name, module in list(plain.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge()
            plain.set_submodule(name, module.base_layer)
    return plain
