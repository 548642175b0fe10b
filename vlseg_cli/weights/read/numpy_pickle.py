"""detectron2's ``.pkl``: a pickle of NumPy arrays in plain containers, and nothing else."""

import math
import mmap
from pathlib import Path

import torch
from torch import Tensor

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import open_regular, reason_of
from vlseg_cli.weights.read.pickles import (
    Allowed,
    Function,
    RefusedError,
    StandIn,
    ordered_dict,
    read_pickle,
)

_DTYPES = {
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "u1": torch.uint8,
    "b1": torch.bool,
}

_LONGEST = 1 << 40  # elements
_CORES = ("core", "_core")  # NumPy 1 and 2


class _DType(StandIn):
    """Stands for numpy.dtype: one of plain numbers, little-endian."""

    def __init__(self, code: object, *_: object) -> None:
        self.torch = _DTYPES.get(code.lstrip("<|=")) if isinstance(code, str) else None
        if self.torch is None:
            raise RefusedError("an array is of something other than plain numbers")

    def build(self, state: object) -> None:
        """The rest of the description: only the byte order matters, and structure is refused."""
        match state:
            case (int(), "<" | "|" | "=", None, None, None, *_):
                return
        raise RefusedError("an array is of something other than plain little-endian numbers")


class _Array(StandIn):
    """Stands for numpy.ndarray, empty until its state comes."""

    def __init__(self, *_: object) -> None:
        self.tensor: Tensor | None = None

    def build(self, state: object) -> None:
        """(version, shape, dtype, column-major?, bytes)."""
        match state:
            case (int(), tuple(shape), _DType() as dtype, bool(fortran), bytes() | str() as raw):
                self.tensor = _filled(shape, dtype, fortran, raw)
            case _:
                raise RefusedError("an array is described in an unknown way")


class _NDArray:
    """What the global numpy.ndarray is: only a name to rebuild arrays by."""


def _filled(shape: tuple[object, ...], dtype: _DType, fortran: bool, raw: bytes | str) -> Tensor:
    data = bytearray(raw if isinstance(raw, bytes) else raw.encode("latin-1"))
    sizes = [size for size in shape if type(size) is int and size >= 0]
    assert dtype.torch is not None
    if math.prod(size or 1 for size in sizes) > _LONGEST:
        raise RefusedError("an array is larger than any")
    if len(sizes) != len(shape) or math.prod(sizes) * dtype.torch.itemsize != len(data):
        raise RefusedError("an array states another size than it holds")
    if not data:
        return torch.empty(sizes, dtype=dtype.torch)
    flat = torch.frombuffer(data, dtype=dtype.torch)
    if fortran:
        return flat.reshape(sizes[::-1]).permute(*reversed(range(len(sizes)))).contiguous()
    return flat.reshape(sizes)


def _scalar(dtype: object, raw: object) -> object:
    """A NumPy number; weights have none that matter."""
    if not (isinstance(dtype, _DType) and isinstance(raw, bytes | str)):
        raise RefusedError("a number is described in an unknown way")
    return _filled((), dtype, False, raw)


def _encode(text: object, coding: object) -> bytes:
    """How old protocols write bytes."""
    if not (isinstance(text, str) and coding == "latin1"):
        raise RefusedError("bytes are described in an unknown way")
    return text.encode("latin-1")


def _frombuffer(raw: object, dtype: object, shape: object, order: object) -> _Array:
    """How protocol 5 writes arrays."""
    array = _Array()
    array.build((1, shape, dtype, order == "F", bytes(raw) if isinstance(raw, bytearray) else raw))
    return array


_ALLOWED: Allowed = {
    ("collections", "OrderedDict"): Function(ordered_dict),
    ("_codecs", "encode"): Function(_encode),
    ("__builtin__", "bytes"): Function(lambda: b""),
    ("numpy", "dtype"): Function(_DType),
    ("numpy", "ndarray"): _NDArray,
    **{
        (f"numpy.{core}.multiarray", name): Function(stand_in)
        for core in _CORES
        for name, stand_in in (("_reconstruct", _Array), ("scalar", _scalar))
    },
    **{(f"numpy.{core}.numeric", "_frombuffer"): Function(_frombuffer) for core in _CORES},
}


def read_numpy_pickle(file: Path) -> dict[str, Tensor]:
    """Arrays by name, those under 'model' if there is one.

    Raises WeightsError for what is damaged, or asks for more than arrays.
    """
    try:
        with open_regular(file, None) as opened:
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is empty"
        raise WeightsError(f"{file} cannot be read ({reason})") from error
    with mapped:
        state = read_pickle(mapped, str(file), _ALLOWED)
    if isinstance(state, dict) and isinstance(state.get("model"), dict):
        state = state["model"]
    found = {
        name: value.tensor
        for name, value in (state.items() if isinstance(state, dict) else ())
        if isinstance(name, str) and isinstance(value, _Array) and value.tensor is not None
    }
    if not found:
        raise WeightsError(f"{file} holds no arrays by name: it is no checkpoint of weights")
    return found
