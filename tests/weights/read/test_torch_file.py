"""What torch saves comes back the same, in both layouts; damaged files never do harm."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.torch_file import read_torch_file

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8)


def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    state = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).state_dict()
    for dtype in DTYPES:
        state[f"as.{dtype}"] = (torch.randn(2, 3) * 100).to(dtype)
    state["scalar"], state["empty"] = torch.tensor(7.0), torch.zeros(0, 3)
    state["flags"] = torch.tensor([True, False])
    state["turned"] = torch.arange(12.0).view(3, 4).t()
    state["part"] = torch.arange(12.0)[3:7]
    state["parameter"] = nn.Parameter(torch.randn(2))
    return state


WRAPPED: dict[str, Any] = {
    "alone": lambda state: state,
    "plain": lambda state: dict(state),
    "ordered": lambda state: OrderedDict(state),
    "checkpoint": lambda state: {"state_dict": state, "epoch": 3, "lr": 1e-3, "name": "x"},
    "detectron": lambda state: {"model": state, "iteration": 7},
    "deepspeed": lambda state: {
        "module": state,
        "optimizer": None,
        "param_shapes": [OrderedDict(a=torch.Size([2, 3]))],
        "names": {"a", "b"},
        "dtype": torch.float16,
    },
}


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("archive", [True, False])
def test_what_was_saved_comes_back(tmp_path: Path, wrapped: str, archive: bool) -> None:
    state = tensors()
    torch.save(WRAPPED[wrapped](state), tmp_path / "x", _use_new_zipfile_serialization=archive)
    found = read_torch_file(tmp_path / "x")
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        assert found[name].dtype == tensor.dtype and found[name].equal(tensor.detach())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_any_protocol(tmp_path: Path, protocol: int) -> None:
    torch.save(tensors(), tmp_path / "x", pickle_protocol=protocol)
    assert read_torch_file(tmp_path / "x").keys() == tensors().keys()


def test_the_file_is_mapped_and_never_written_to(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(4)}, tmp_path / "x")
    before = (tmp_path / "x").read_bytes()
    read_torch_file(tmp_path / "x")["w"].add_(1)
    assert (tmp_path / "x").read_bytes() == before


@pytest.mark.parametrize(
    "value", [nn.Linear(2, 2), {"lr": 3}, [torch.zeros(1)], {"w": torch.zeros(2).to_sparse()}, None]
)
def test_what_is_no_state_dict(tmp_path: Path, value: object) -> None:
    torch.save(value, tmp_path / "x")
    with pytest.raises(WeightsError) as caught:
        read_torch_file(tmp_path / "x")
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        read_torch_file(tmp_path / "nowhere")


@settings(max_examples=150, deadline=None)
@given(data=st.data(), archive=st.booleans())
def test_damage_is_found_or_harmless(
    data: st.DataObject, archive: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes changed anywhere, or the end missing: tensors come back, or one sentence."""
    file = tmp_path_factory.mktemp("damaged") / "x"
    torch.save(
        {"model": {"a": torch.ones(3, 2), "b": torch.ones(2)}},
        file,
        _use_new_zipfile_serialization=archive,
    )
    whole = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    try:
        assert all(isinstance(tensor, Tensor) for tensor in read_torch_file(file).values())
    except WeightsError as error:
        assert "\n" not in str(error)
