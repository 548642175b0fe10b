"""LoRA: adapters on a model's linear layers by peft, merged into the weights when it is saved.

peft takes two seconds to import, and is imported only where there are adapters.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vlseg_cli.schema import RecipeError


def inject_lora(
    model: nn.Module, rank: int, alpha: float, dropout: float, targets: Sequence[str]
) -> list[nn.Parameter]:
    """Add adapters to every linear layer whose name ends with one of ``targets``.

    Returns the adapters' parameters; all others of ``model`` are frozen. Raises RecipeError if no
    layer has such a name.
    """
    from peft import LoraConfig, inject_adapter_in_model

    settings = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=list(targets), bias="none"
    )
    try:
        inject_adapter_in_model(settings, model)
    except ValueError as error:
        raise RecipeError(f"[lora] targets: {str(error).splitlines()[0]}") from error
    return [p for name, p in model.named_parameters() if ".lora_" in name]


def merged_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """The state dict with adapters merged into their layers, named as without adapters."""
    merged = {
        name.replace(".base_layer.", "."): tensor
        for name, tensor in model.state_dict().items()
        if ".lora_" not in name
    }
    if len(merged) == len(model.state_dict()):
        return merged
    from peft.tuners.lora import LoraLayer

    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            for adapter in module.active_adapters:
                delta = module.get_delta_weight(adapter).detach()
                merged[f"{name}.weight"] = merged[f"{name}.weight"] + delta
    return merged
