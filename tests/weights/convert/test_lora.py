"""Adapters as PEFT itself saves them: merged, they are what PEFT merges, and none is lost."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.lora import adapter_scale, plain_name, split_adapters

NAME = "layers.0.q_proj.weight"


class Language(nn.Module):
    """Enough of a language model for PEFT to wrap."""

    def __init__(self) -> None:
        super().__init__()
        layer = {"q_proj": nn.Linear(6, 4), "o_proj": nn.Linear(4, 6, bias=False)}
        self.layers = nn.ModuleList([nn.ModuleDict(layer)])


def wrapped(scale: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A state dict with adapters, and the same as PEFT merges it."""
    torch.manual_seed(0)
    model = get_peft_model(
        Language(), LoraConfig(r=2, lora_alpha=2 * scale, target_modules=["q_proj"])
    )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    return state, model.merge_and_unload().state_dict()


@settings(max_examples=5, deadline=None)
@given(st.sampled_from([0.5, 1.0, 2.0]))
def test_merging_is_pefts_merging(scale: float) -> None:
    state, expected = wrapped(scale)
    weights, adapters = split_adapters(state, scale)
    assert weights.keys() == expected.keys() and adapters.keys() == {NAME}
    assert {n for one in adapters.values() for n in one.names} == {n for n in state if "lora" in n}
    for name, tensor in expected.items():
        ours = adapters[name].merged(weights[name]) if name in adapters else weights[name]
        assert torch.allclose(ours, tensor, atol=1e-6)
    assert not torch.allclose(weights[NAME], expected[NAME], atol=1e-3)


def test_older_names_and_adapters_alone_in_their_file() -> None:
    """PEFT before 0.5 kept the weight's own name; adapter files leave the adapter's name out."""
    state, _ = wrapped(1.0)
    older = {name.replace(".base_layer", ""): tensor for name, tensor in state.items()}
    alone = {name.replace(".default", ""): tensor for name, tensor in older.items()}
    for again in (older, alone):
        weights, adapters = split_adapters(again, 1.0)
        assert weights.keys() == {name for name in map(plain_name, state) if "lora" not in name}
        assert adapters.keys() == {NAME}


def test_the_weights_own_precision_is_kept() -> None:
    weights, adapters = split_adapters({n: t.bfloat16() for n, t in wrapped(2.0)[0].items()}, 2.0)
    assert adapters[NAME].merged(weights[NAME]).dtype == torch.bfloat16


def test_a_wrapper_within_a_name() -> None:
    name = "vision_model.base_model.model.encoder.layers.3.attn.qkv.base_layer.bias"
    assert plain_name(name) == "vision_model.encoder.layers.3.attn.qkv.bias"
    assert split_adapters({"a.weight": torch.zeros(1)}, 2.0)[1] == {}


A, B = (f"base_model.model.layers.0.q_proj.lora_{side}.default.weight" for side in "AB")
BASE = "base_model.model.layers.0.q_proj.base_layer.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({A: None}, rf"the adapter {B} lacks its other half"),
        ({BASE: None}, rf"the adapter {A} lacks its weight layers\.0\.q_proj\.weight"),
        ({B: torch.zeros(4, 3)}, r"\(4, 3\) do not fit layers\.0\.q_proj\.weight \(4, 6\)"),
        ({BASE: torch.zeros(4, 5)}, r"do not fit layers\.0\.q_proj\.weight \(4, 5\)"),
        ({A: torch.zeros(6)}, r"lora_A\.default\.weight \(6,\)"),
        ({A.replace("default", "other"): torch.zeros(2, 6)}, "one of two adapters of a weight"),
        ({NAME: torch.zeros(4, 6)}, rf"{NAME} is there twice"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Tensor | None], said: str) -> None:
    state = {
        name: tensor for name, tensor in (wrapped(1.0)[0] | change).items() if tensor is not None
    }
    with pytest.raises(WeightsError, match=said) as caught:
        split_adapters(state, 1.0)
    assert "\n" not in str(caught.value)


def test_the_scale_is_pefts_where_it_is_told(tmp_path: Path) -> None:
    assert adapter_scale(tmp_path, 2.0) == 2.0
    get_peft_model(
        Language(), LoraConfig(r=2, lora_alpha=6, target_modules=["q_proj"])
    ).save_pretrained(tmp_path)
    assert adapter_scale(tmp_path, 2.0) == 3.0
    (tmp_path / "adapter_config.json").write_text('{"r": 4, "lora_alpha": 6, "use_rslora": true}')
    assert adapter_scale(tmp_path, 2.0) == 3.0


@pytest.mark.parametrize(
    "told", ["{", "[]", {}, {"r": 0, "lora_alpha": 1}, {"r": 1, "lora_alpha": "x"}]
)
def test_a_scale_that_cannot_be(tmp_path: Path, told: object) -> None:
    text = told if isinstance(told, str) else json.dumps(told)
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(WeightsError, match="does not say r and lora_alpha"):
        adapter_scale(tmp_path, 2.0)
