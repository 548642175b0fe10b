"""detectron2's pickles: arrays come back the same, whichever protocol and NumPy wrote them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.numpy_pickle import read_numpy_pickle

ARRAYS = {
    "weight": np.linspace(0, 1, 12, dtype="f4").reshape(3, 4),
    "half": np.arange(3, dtype="f2"),
    "counts": np.arange(3),
    "column_major": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "scalar": np.array(3.5),
    "empty": np.zeros((0, 4), "f4"),
    "flags": np.array([True, False]),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("wrapped", [True, False])
def test_arrays_come_back(tmp_path: Path, protocol: int, wrapped: bool) -> None:
    notes = {"__author__": "someone", "matching_heuristics": True, "loss": np.float64(3)}
    state = {"model": ARRAYS, **notes} if wrapped else {**ARRAYS, **notes}
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(state, protocol))
    found = read_numpy_pickle(tmp_path / "x.pkl")
    if protocol == 0 and found.keys() < ARRAYS.keys():
        pytest.fail(f"lost {ARRAYS.keys() - found.keys()}")
    for name, array in ARRAYS.items():
        assert np.array_equal(found[name].numpy(), array)
        assert found[name].numpy().dtype == array.dtype


def test_the_old_name_of_numpys_core(tmp_path: Path) -> None:
    data = pickle.dumps({"w": ARRAYS["weight"]}, 2)
    assert b"numpy._core.multiarray" in data
    (tmp_path / "x.pkl").write_bytes(data.replace(b"numpy._core.", b"numpy.core."))
    assert np.array_equal(read_numpy_pickle(tmp_path / "x.pkl")["w"].numpy(), ARRAYS["weight"])


@pytest.mark.parametrize("value", [[], {}, {"model": {}}, {"model": {"a": 3}}, 3, ARRAYS["half"]])
def test_what_holds_no_arrays_by_name(tmp_path: Path, value: object) -> None:
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(value))
    with pytest.raises(WeightsError, match="holds no arrays by name"):
        read_numpy_pickle(tmp_path / "x.pkl")


@settings(max_examples=150, deadline=None)
@given(data=st.data(), protocol=st.integers(0, 5))
def test_damage_is_found_or_harmless(
    data: st.DataObject, protocol: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = bytearray(pickle.dumps({"model": {"a": np.ones((2, 2), "f4")}}, protocol))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.mktemp("damaged") / "x.pkl"
    file.write_bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    try:
        assert all(isinstance(t, torch.Tensor) for t in read_numpy_pickle(file).values())
    except WeightsError as error:
        assert "\n" not in str(error)
