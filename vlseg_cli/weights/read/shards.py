"""Safetensors in one file or in shards with an index, a few tensors in memory at a time."""

import errno
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.files import open_regular, read_json
from vlseg_cli.weights.settings import WEIGHTS

INDEX = "model.safetensors.index.json"

_TOGETHER = 16  # tensors per mapping: what was read of a file leaves memory with its mapping


def find_shards(directory: Path) -> dict[Path, tuple[str, ...]]:
    """Which file of a folder holds which tensors.

    Raises WeightsError naming what is missing, damaged or in two places.
    """
    index = directory / INDEX
    if index.is_file():
        return _from_index(index)
    files = [directory / WEIGHTS] if (directory / WEIGHTS).is_file() else []
    files = files or sorted(directory.glob("*.safetensors"))
    if not files:
        raise WeightsError(f"{directory} has no {WEIGHTS}; fetch or train the model again")
    found = {file: names_in(file) for file in files}
    _check_unique(directory, found.values())
    return found


def names_in(file: Path) -> tuple[str, ...]:
    """The tensors of one file. Raises WeightsError if it is damaged, cut short for instance."""
    with _opened(file) as opened:
        return tuple(opened.keys())


def stream_tensors(directory: Path, device: str = "cpu") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a folder by name, read-only; on the CPU they are views of the mapped file.

    Raises WeightsError as ``find_shards``.
    """
    for file, names in find_shards(directory).items():
        for first in range(0, len(names), _TOGETHER):
            with _opened(file, device) as opened:
                for name in names[first : first + _TOGETHER]:
                    yield name, opened.get_tensor(name)


def name_shards(sizes: Mapping[str, int], most: int) -> dict[str, tuple[str, ...]]:
    """Which tensors to put into which file, in order and at most ``most`` bytes each.

    sizes: bytes by name. A tensor larger than ``most`` has a file to itself.
    """
    groups: list[list[str]] = [[]]
    filled = 0
    for name, size in sizes.items():
        if groups[-1] and filled + size > most:
            groups.append([])
            filled = 0
        groups[-1].append(name)
        filled += size
    if len(groups) == 1:
        return {WEIGHTS: tuple(groups[0])}
    count = len(groups)
    return {
        f"model-{number:05d}-of-{count:05d}.safetensors": tuple(names)
        for number, names in enumerate(groups, 1)
    }


def write_shards(
    directory: Path,
    files: Mapping[str, tuple[str, ...]],
    read: Callable[[Iterable[str]], Iterable[tuple[str, Tensor]]],
) -> None:
    """Write the files of ``name_shards``, and their index if there are several.

    read: gives tensors by name. Raises OSError if the disk refuses.
    """
    total = 0
    for file, names in files.items():
        tensors = {name: tensor.contiguous() for name, tensor in read(names)}
        total += sum(tensor.nbytes for tensor in tensors.values())
        save_tensors(tensors, directory / file)
        (directory / file).chmod(0o644)  # safetensors lets only their owner read them
    if len(files) > 1:
        where = {name: file for file, names in files.items() for name in names}
        index = {"metadata": {"total_size": total}, "weight_map": where}
        (directory / INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")


def save_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Write one file. Raises OSError if the disk refuses, which safetensors calls its own error."""
    try:
        save_file(dict(tensors), str(file), metadata={"format": "pt"})
    except SafetensorError as error:
        found = re.search(r"os error (\d+)", str(error))
        number = int(found[1]) if found else errno.EIO
        raise OSError(number, os.strerror(number)) from error


@contextmanager
def _opened(file: Path, device: str = "cpu") -> Iterator[Any]:
    try:
        open_regular(file, None).close()  # safetensors would wait for a pipe
        with safe_open(str(file), "pt", device=device) as opened:
            yield opened
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{file} is damaged ({error}); fetch or train it again") from error


def _from_index(index: Path) -> dict[Path, tuple[str, ...]]:
    try:
        places = read_json(index)["weight_map"]
        listed = {str(name): str(file) for name, file in places.items()}
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise WeightsError(f"{index} is damaged: it lists no tensors; fetch it again") from error
    for file in set(listed.values()):
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise WeightsError(f"{index} is refused: it names a file outside of its folder")
        if not (index.parent / file).is_file():
            raise WeightsError(f"{index.parent} lacks {file}, which {index.name} lists")
    found: dict[Path, tuple[str, ...]] = {}
    for file in sorted(set(listed.values())):
        held = names_in(index.parent / file)
        for name in sorted(name for name, place in listed.items() if place == file):
            if name not in held:
                raise WeightsError(f"{index.parent / file} lacks {name}, which {index.name} lists")
        found[index.parent / file] = held
    _check_unique(index.parent, found.values())
    return found


def _check_unique(directory: Path, groups: Iterable[tuple[str, ...]]) -> None:
    seen: set[str] = set()
    for names in groups:
        if twice := seen.intersection(names):
            raise WeightsError(f"{directory} holds {min(twice)} twice, in different files")
        seen.update(names)
