"""``.bin``, ``.pth`` and ``.pt`` of torch: tensors alone, mapped from the file, nothing run.

Both layouts are read: the zip archive of torch 1.6 and later, and the older file of pickles in a
row. pickles.py says why this is not ``torch.load``.
"""

import io
import math
import mmap
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import open_regular, reason_of
from vlseg_cli.weights.read.pickles import (
    Allowed,
    Function,
    RefusedError,
    ordered_dict,
    plain_set,
    read_pickle,
)

_MAGIC, _LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001
_LOCAL_HEADER = 30  # bytes before the name of a zip entry
_MOST_AXES, _LONGEST = 8, 1 << 40
_NOTES = ("state_dict", "model", "module")  # where training loops put the weights


@dataclass(frozen=True, slots=True)
class _StorageType:
    dtype: torch.dtype


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: torch.dtype
    numel: int


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """Position of a tensor: a view of a storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(storage: object, offset: object, shape: object, stride: object, *_: object) -> object:
    """What torch._utils._rebuild_tensor_v2 stands for; gradients and hooks are ignored."""
    if not isinstance(storage, _Storage):
        raise RefusedError("a tensor has no storage")
    return StoredTensor(storage, _count(offset), _counts(shape), _counts(stride))


def _parameter(data: object, *_: object) -> object:
    if not isinstance(data, StoredTensor):
        raise RefusedError("a parameter has no tensor")
    return data


def _counts(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > _MOST_AXES:
        raise RefusedError("a tensor's shape is no list of sizes")
    return tuple(_count(size) for size in value)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _LONGEST:
        raise RefusedError("a tensor's shape or offset is out of range")
    return value


_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_ALLOWED: Allowed = {
    ("collections", "OrderedDict"): Function(ordered_dict),
    ("torch._utils", "_rebuild_tensor_v2"): Function(_tensor),
    ("torch._utils", "_rebuild_tensor"): Function(_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(_parameter),
    ("torch", "Size"): Function(lambda sizes: tuple(sizes)),
    ("builtins", "set"): Function(plain_set),
    ("__builtin__", "set"): Function(plain_set),
    **{("torch", name): _StorageType(dtype) for name, dtype in _STORAGES.items()},
    **{("torch", str(d).removeprefix("torch.")): d for d in _STORAGES.values()},
}


def _storage(identity: object) -> _Storage:
    """What a persistent id means: ('storage', type, key, device, numel[, view])."""
    match identity:
        case ("storage", _StorageType(dtype=dtype), str(key), _, int(numel)):
            return _Storage(key, dtype, numel)
        case ("storage", _StorageType(dtype=dtype), str(key), _, int(numel), None):
            return _Storage(key, dtype, numel)
    raise RefusedError("a storage is described in an unknown way")


def read_torch_file(file: Path) -> dict[str, Tensor]:
    """Tensors by name, mapped from the file and not to be written to.

    Of a training state the weights are taken. Raises WeightsError for what is damaged,
    or asks for more than tensors.
    """
    try:
        with open_regular(file, None) as opened:
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    except OSError as error:
        raise WeightsError(f"{file} cannot be read ({reason_of(error)})") from error
    except ValueError as error:
        raise WeightsError(f"{file} is damaged: it is empty") from error
    if mapped[:2] == b"PK":
        state, regions = _read_zip(file, mapped)
    else:
        state, regions = _read_legacy(file, mapped)
    return {
        name: _map_tensor(mapped, regions, stored, f"{file}: {name}")
        for name, stored in stored_tensors(state, file).items()
    }


def stored_tensors(state: object, file: Path) -> dict[str, StoredTensor]:
    """Those of a state dict, or of the part of a training state that is one."""
    for note in _NOTES:
        if isinstance(state, dict) and isinstance(state.get(note), dict):
            state = state[note]
    found = {
        name: value
        for name, value in (state.items() if isinstance(state, dict) else ())
        if isinstance(name, str) and isinstance(value, StoredTensor)
    }
    if not found:
        raise WeightsError(f"{file} holds no tensors by name: it is no checkpoint of weights")
    return found


Regions = Mapping[str, tuple[int, int]]  # key of a storage -> first byte, bytes


def _read_zip(file: Path, mapped: mmap.mmap) -> tuple[object, Regions]:
    """The object and where its storages lie. Entries are stored as they are, never unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise WeightsError(f"{file} is damaged: its zip archive breaks off") from error
    regions = {entry.filename: _entry_region(entry, mapped, file) for entry in entries}
    pickles = [name for name in regions if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise WeightsError(f"{file} is no torch checkpoint: its archive has no data.pkl")
    root = pickles[0].removesuffix("data.pkl")
    order = _bytes(mapped, regions.get(f"{root}byteorder", (0, 0)))
    if order not in (b"", b"little"):
        raise WeightsError(f"{file} was written on a machine of another byte order")
    state = read_pickle(
        io.BytesIO(_bytes(mapped, regions[pickles[0]])), str(file), _ALLOWED, _storage
    )
    data = f"{root}data/"
    return state, {k.removeprefix(data): v for k, v in regions.items() if k.startswith(data)}


def _entry_region(entry: zipfile.ZipInfo, mapped: mmap.mmap, file: Path) -> tuple[int, int]:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
        raise WeightsError(f"{file} is refused: an entry of its archive leads out of it")
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise WeightsError(f"{file} is refused: torch never packs or encrypts, this archive does")
    at = entry.header_offset
    header = mapped[at : at + _LOCAL_HEADER]
    if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise WeightsError(f"{file} is damaged: its archive points outside of itself")
    first = at + _LOCAL_HEADER + int.from_bytes(header[26:28], "little")
    first += int.from_bytes(header[28:30], "little")
    if entry.file_size != entry.compress_size or first + entry.file_size > len(mapped):
        raise WeightsError(f"{file} is damaged: its archive states wrong sizes")
    return first, entry.file_size


def _read_legacy(file: Path, mapped: mmap.mmap) -> tuple[object, Regions]:
    """Pickles in a row: magic number, version, system, the object, keys; then the storages."""
    where = str(file)
    if read_pickle(mapped, where, {}) != _MAGIC:
        raise WeightsError(f"{file} is no torch checkpoint")
    if read_pickle(mapped, where, {}) != _LEGACY_VERSION:
        raise WeightsError(f"{file} is a torch checkpoint of an unknown version")
    system = read_pickle(mapped, where, {})
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise WeightsError(f"{file} was written on a machine of another byte order")
    sizes: dict[str, int] = {}

    def storage(identity: object) -> _Storage:
        found = _storage(identity)
        sizes[found.key] = found.dtype.itemsize
        return found

    state = read_pickle(mapped, where, _ALLOWED, storage)
    keys = read_pickle(mapped, where, {})
    regions: dict[str, tuple[int, int]] = {}
    for key in keys if isinstance(keys, list) else ():
        if key not in sizes:
            raise WeightsError(f"{file} is damaged: it lists a storage that nothing uses")
        count, first = int.from_bytes(mapped.read(8), "little"), mapped.tell()
        size = count * sizes[key]
        if first + size > len(mapped):
            raise WeightsError(f"{file} is damaged: it breaks off within its tensors")
        mapped.seek(first + size)
        regions[key] = first, size
    return state, regions


def _bytes(mapped: mmap.mmap, region: tuple[int, int]) -> bytes:
    return mapped[region[0] : region[0] + region[1]]


def _map_tensor(mapped: mmap.mmap, regions: Regions, stored: StoredTensor, where: str) -> Tensor:
    """A view into the file, once all its numbers have been found to fit."""
    storage, shape = stored.storage, stored.shape
    first, size = regions.get(storage.key, (0, -1))
    if size != storage.numel * storage.dtype.itemsize:
        raise WeightsError(f"{where}: the file states another size than it holds; fetch it again")
    reach = 1 + sum((n - 1) * step for n, step in zip(shape, stored.stride, strict=False))
    count = math.prod(shape)
    fits = count <= storage.numel and stored.offset + reach <= storage.numel
    if count == 0:
        fits = math.prod(size or 1 for size in shape) <= _LONGEST
    if len(shape) != len(stored.stride) or not fits:
        raise WeightsError(f"{where}: the tensor reaches beyond what the file holds")
    if count == 0:
        return torch.empty(shape, dtype=storage.dtype)
    if first % storage.dtype.itemsize:
        flat = torch.frombuffer(bytearray(mapped[first : first + size]), dtype=storage.dtype)
    else:
        flat = torch.frombuffer(mapped, dtype=storage.dtype, count=storage.numel, offset=first)
    return flat.as_strided(shape, stored.stride, stored.offset)
