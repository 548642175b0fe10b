"""Everything must fit; what does not is named in one sentence."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.fit import load_into

SOURCE = Path("some/model")


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {name: torch.randn_like(t.float()).to(t.dtype) for name, t in net().state_dict().items()}


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_model_takes_what_fits(device: str) -> None:
    with torch.device(device):
        model = net()
    given = tensors()
    load_into(model, given, SOURCE)
    for name, tensor in model.state_dict().items():
        assert tensor.equal(given[name])
    assert all(p.requires_grad for p in model.parameters())


def test_all_that_does_not_fit_is_said_at_once() -> None:
    given = tensors()
    del given["0.bias"]
    given["2.weight"] = torch.zeros(1, 4)
    given["extra"] = torch.zeros(1)
    model = net()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        load_into(model, given, SOURCE)
    assert str(caught.value) == (
        "some/model does not fit its configuration: it lacks 0.bias; has extra extra; "
        "has 2.weight (1, 4) instead of (1, 3)"
    )
    assert all(t.equal(before[name]) for name, t in model.state_dict().items())


def test_long_lists_are_cut_short() -> None:
    with pytest.raises(WeightsError) as caught:
        load_into(net(), {}, SOURCE)
    assert str(caught.value).endswith("it lacks 0.bias, 0.weight, 1.bias …")
    assert "\n" not in str(caught.value)
