"""Golden weights, and the files in which models are published, for all miniatures.

A miniature is a module with three functions: ``tensors``, the golden weights under the authors'
names; ``write``, a folder as they publish it, with those or other tensors; ``segmenter``, a model
with the golden weights that were read from no folder.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import torch
from parity.golden import Golden, golden_files
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.models.base import Segmenter

Tensors = Mapping[str, Tensor]


class Miniature(Protocol):
    """The module of a system."""

    def tensors(self) -> dict[str, Tensor]: ...
    def write(self, folder: Path, tensors: Tensors) -> Path: ...
    def segmenter(self) -> Segmenter: ...


@cache
def golden(layout: str) -> Golden:
    """The golden file of this repository; not to be modified."""
    (file,) = golden_files(layout)
    return Golden.load(file)


def write_shards(folder: Path, tensors: Tensors) -> None:
    """Two shards and their index, as transformers saves a large model."""
    names, where = sorted(tensors), {}
    for number, held in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), 1):
        shard = f"model-{number:05}-of-00002.safetensors"
        where |= dict.fromkeys(held, shard)
        save_file({n: tensors[n].contiguous() for n in held}, folder / shard, {"format": "pt"})
    index = {"metadata": {}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def write_bin(folder: Path, tensors: Tensors) -> None:
    """One file of torch, as older training scripts save it."""
    torch.save(dict(tensors), folder / "pytorch_model.bin")


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """config.json; sizes that are in none of the authors' files are under "vlseg"."""
    (folder / "config.json").write_text(json.dumps(config, indent=2))
