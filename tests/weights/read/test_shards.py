"""Shards and their index: read as one, written as planned, and found out when they disagree."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.shards import (
    INDEX,
    find_shards,
    name_shards,
    stream_tensors,
    write_shards,
)
from vlseg_cli.weights.settings import WEIGHTS

TENSORS = {f"layer.{n}": torch.full((n + 1, 8), float(n)) for n in range(40)}


def read(names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
    return ((name, TENSORS[name]) for name in names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 tensors in several shards."""
    sizes = {name: tensor.nbytes for name, tensor in TENSORS.items()}
    write_shards(tmp_path, name_shards(sizes, 8000), read)
    return tmp_path


def test_shards_are_read_as_one(folder: Path) -> None:
    assert len(list(folder.glob("model-*-of-*.safetensors"))) == len(find_shards(folder)) > 2
    found = dict(stream_tensors(folder))
    assert found.keys() == TENSORS.keys()
    assert all(found[name].equal(tensor) for name, tensor in TENSORS.items())


def test_shards_without_their_index_are_read_too(folder: Path) -> None:
    (folder / INDEX).unlink()
    assert dict(stream_tensors(folder)).keys() == TENSORS.keys()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(1, 60))
def test_every_tensor_is_in_one_file_and_no_file_too_large(sizes: list[int], most: int) -> None:
    named = {str(number): size for number, size in enumerate(sizes)}
    files = name_shards(named, most)
    assert [name for names in files.values() for name in names] == list(named)
    for names in files.values():
        assert len(names) == 1 or sum(named[name] for name in names) <= most
    assert (len(files) == 1) == (list(files) == [WEIGHTS])


def edit(folder: Path, **changes: str | None) -> None:
    index = json.loads((folder / INDEX).read_text())
    for name, file in changes.items():
        index["weight_map"].pop(name)
        if file:
            index["weight_map"][name] = file
    (folder / INDEX).write_text(json.dumps(index))


def fails(folder: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        list(stream_tensors(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_shard_is_named(folder: Path) -> None:
    (shard, *_) = find_shards(folder)
    shard.unlink()
    assert f"lacks {shard.name}" in fails(folder)


def test_a_tensor_that_is_not_in_its_shard_is_named(folder: Path) -> None:
    *_, last = find_shards(folder)
    edit(folder, **{"layer.0": last.name})
    assert f"{last.name} lacks layer.0" in fails(folder)


@pytest.mark.parametrize("file", ["../x.safetensors", "/etc/passwd", "a/b.safetensors", "x.bin"])
def test_an_index_that_leads_out_is_refused(folder: Path, file: str) -> None:
    edit(folder, **{"layer.0": file})
    assert "names a file outside of its folder" in fails(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"weight_map": 3}', "[" * 100_000])
def test_an_index_of_nothing(folder: Path, text: str) -> None:
    (folder / INDEX).write_text(text)
    assert f"{INDEX} is damaged" in fails(folder)


def test_a_tensor_in_two_files_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_file({"twice": torch.zeros(1)}, tmp_path / f"{name}.safetensors")
    assert "holds twice twice, in different files" in fails(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    assert f"has no {WEIGHTS}" in fails(tmp_path)
