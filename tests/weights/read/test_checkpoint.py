"""Every published format through one door."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.checkpoint import read_checkpoint

STATE = {"model.a": torch.ones(2, 3), "model.b": torch.zeros(4, dtype=torch.half)}
STEP = "global_step5000"


def deepspeed(folder: Path) -> None:
    (folder / STEP).mkdir()
    (folder / "latest").write_text(STEP)
    states = {"module": STATE, "ds_config": {"zero": 2}, "global_steps": 5000, "optimizer": None}
    torch.save(states, folder / STEP / "mp_rank_00_model_states.pt")
    (folder / STEP / "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt").write_bytes(b"not read")


def write(folder: Path, kind: str) -> None:
    match kind:
        case "safetensors":
            save_file(STATE, folder / "model.safetensors")
        case "bin":
            for name, tensor in STATE.items():
                torch.save({name: tensor}, folder / f"pytorch_model-{name}.bin")
        case "pth":
            torch.save(STATE, folder / "sam.pth")
        case "detectron2":
            arrays = {name: tensor.numpy() for name, tensor in STATE.items()}
            (folder / "model_final.pkl").write_bytes(pickle.dumps({"model": arrays}))
        case "deepspeed":
            deepspeed(folder)


@pytest.mark.parametrize("kind", ["safetensors", "bin", "pth", "detectron2", "deepspeed"])
def test_every_format_gives_the_same(tmp_path: Path, kind: str) -> None:
    write(tmp_path, kind)
    found = read_checkpoint(tmp_path)
    assert found.keys() == STATE.keys()
    assert all(np.array_equal(found[name].numpy(), t.numpy()) for name, t in STATE.items())


def test_safetensors_are_preferred_to_a_pickle(tmp_path: Path) -> None:
    write(tmp_path, "safetensors")
    (tmp_path / "pytorch_model.bin").write_bytes(b"never opened")
    assert read_checkpoint(tmp_path).keys() == STATE.keys()


@pytest.mark.parametrize("step", ["..", "../elsewhere", "/etc", "", "global_step1"])
def test_a_deepspeed_folder_that_leads_elsewhere(tmp_path: Path, step: str) -> None:
    write(tmp_path, "deepspeed")
    (tmp_path / "latest").write_text(step)
    with pytest.raises(WeightsError, match=r"names no folder beside it|lacks global_step1/"):
        read_checkpoint(tmp_path)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is nothing at"):
        read_checkpoint(tmp_path / "nowhere")
    with pytest.raises(WeightsError, match="holds no weights"):
        read_checkpoint(tmp_path)
    (tmp_path / "x.onnx").touch()
    with pytest.raises(WeightsError, match="is of no known format"):
        read_checkpoint(tmp_path / "x.onnx")


def test_a_name_in_two_files(tmp_path: Path) -> None:
    for file in ("a.bin", "b.bin"):
        torch.save({"w": torch.zeros(1)}, tmp_path / file)
    with pytest.raises(WeightsError, match="holds w twice"):
        read_checkpoint(tmp_path)
