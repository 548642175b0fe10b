"""A folder or file of published weights in any format, as tensors by name."""

from pathlib import Path

from torch import Tensor

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.numpy_pickle import read_numpy_pickle
from vlseg_cli.weights.read.shards import stream_tensors
from vlseg_cli.weights.read.torch_file import read_torch_file
from vlseg_cli.weights.resolve import is_deepspeed, model_states

_TORCH = (".bin", ".pth", ".pt")


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Tensors by name, mapped from their files wherever the format allows.

    path: a file, or a folder as published: safetensors or .bin with or without an index, a
    DeepSpeed training folder, a single .pth or .pkl. Raises WeightsError in one sentence.
    """
    if path.is_file():
        return _read_file(path)
    if not path.is_dir():
        raise WeightsError(f"there is nothing at {path}")
    if any(path.glob("*.safetensors*")):
        return dict(stream_tensors(path))
    if is_deepspeed(path):
        return _read_file(model_states(path))
    files = sorted(file for file in path.iterdir() if file.suffix in (*_TORCH, ".pkl"))
    if not files:
        raise WeightsError(f"{path} holds no weights: no .safetensors, .bin, .pth or .pkl")
    tensors: dict[str, Tensor] = {}
    for file in files:
        for name, tensor in _read_file(file).items():
            if name in tensors:
                raise WeightsError(f"{path} holds {name} twice, in different files")
            tensors[name] = tensor
    return tensors


def _read_file(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".pkl":
        return read_numpy_pickle(file)
    if file.suffix in _TORCH:
        return read_torch_file(file)
    raise WeightsError(f"{file} is of no known format: .safetensors, .bin, .pth, .pt or .pkl")
