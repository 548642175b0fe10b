"""Adapters as PEFT itself saves them: merged, they are what PEFT merges, and none is lost."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.lora import Merged


class Language(nn.Module):
    """Enough of a language model for PEFT to wrap."""

    def __init__(self) -> None:
        super().__init__()
        layer = {"q_proj": nn.Linear(6, 4), "o_proj": nn.Linear(4, 6, bias=False)}
        self.layers = nn.ModuleList([nn.ModuleDict(layer)])


def saved(scale: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A state dict with adapters under PEFT's names, and the same as PEFT merges it."""
    torch.manual_seed(0)
    config = LoraConfig(r=2, lora_alpha=2 * scale, target_modules=["q_proj"])
    model = get_peft_model(Language(), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    return state, model.merge_and_unload().state_dict()


def unwrapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names as PEFT before 0.5 had them, which is how LLM-Seg is published."""
    prefix = "base_model.model."
    return {n.removeprefix(prefix).replace(".base_layer.", "."): t for n, t in state.items()}


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_merging_is_pefts_merging(scale: float) -> None:
    state, expected = saved(scale)
    plain = unwrapped(state)
    merged = Merged(plain, scale)
    assert {n for n in merged if "lora" not in n} == expected.keys() and len(merged) == len(state)
    for name, tensor in expected.items():
        assert torch.allclose(merged[name], tensor, atol=1e-6)
    changed = [name for name in expected if not torch.equal(merged[name], plain[name])]
    assert changed == ["layers.0.q_proj.weight"]


def test_names_of_all_versions() -> None:
    """PEFT before 0.5 kept the weight's own name; adapter files leave the adapter's name out."""
    state, expected = saved(1.0)
    older = {name.replace(".base_layer", ""): tensor for name, tensor in state.items()}
    alone = {name.replace(".default", ""): tensor for name, tensor in older.items()}
    for again, layer in ((state, ".base_layer"), (older, ""), (alone, "")):
        merged = Merged(again, 1.0)[f"base_model.model.layers.0.q_proj{layer}.weight"]
        assert torch.allclose(merged, expected["layers.0.q_proj.weight"], atol=1e-6)


def test_the_weights_own_precision_is_kept() -> None:
    merged = Merged(unwrapped({n: t.bfloat16() for n, t in saved(2.0)[0].items()}), 2.0)
    assert merged["layers.0.q_proj.weight"].dtype == torch.bfloat16


A, B = (f"layers.0.q_proj.lora_{side}.default.weight" for side in "AB")
BASE = "layers.0.q_proj.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({A: None}, rf"the adapter {B} lacks its other half"),
        ({BASE: None}, rf"the adapter {A} lacks its weight {BASE}"),
        ({B: torch.zeros(4, 3)}, rf"\(4, 3\) do not fit {BASE} \(4, 6\)"),
        ({BASE: torch.zeros(4, 5)}, rf"do not fit {BASE} \(4, 5\)"),
        ({A: torch.zeros(6)}, r"lora_A\.default\.weight \(6,\)"),
        ({A.replace("default", "other"): torch.zeros(2, 6)}, "one of two adapters of one weight"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Tensor | None], said: str) -> None:
    state = {n: t for n, t in (unwrapped(saved(1.0)[0]) | change).items() if t is not None}
    with pytest.raises(WeightsError, match=said) as caught:
        Merged(state, 1.0)
    assert "\n" not in str(caught.value)
