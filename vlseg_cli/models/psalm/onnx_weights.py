"""Initializers of an ONNX graph become ranges of a model folder's ``model.safetensors``.

Matched by value: an exporter renames and transposes weights. So the weights are stored once, in
half precision, and a graph casts them when it runs.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vlseg_cli.weights.settings import WEIGHTS

_LEAST = 32  # numbers; smaller tensors stay in the graph


class _Range(NamedTuple):
    """Where a tensor lies: bytes from the file's beginning; shape; whether it is used turned."""

    offset: int
    length: int
    shape: tuple[int, ...]
    turned: bool


def link_weights(graph: Any, folder: Path) -> None:
    """Replace the initializers of an ``onnx.ModelProto`` that the folder's weights hold."""
    from onnx import numpy_helper

    ranges, linked, nodes = _ranges(folder / WEIGHTS), [], []
    for tensor in list(graph.graph.initializer):
        values = numpy_helper.to_array(tensor)
        found = ranges.get(values.tobytes()) if values.size >= _LEAST else None
        if found is None or values.dtype != np.float32:
            continue
        graph.graph.initializer.remove(tensor)
        stored, added = _stored(tensor.name, values.shape, found)
        linked.append(stored)
        nodes += added
    graph.graph.initializer.extend(linked)
    every = [*nodes, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(every)


def _stored(name: str, shape: tuple[int, ...], found: _Range) -> tuple[Any, list[Any]]:
    """The tensor in the file, and the nodes that make the initializer ``name`` of it."""
    from onnx import TensorProto, helper

    stored = TensorProto(name=f"{name}.stored", data_type=TensorProto.FLOAT16)
    stored.dims.extend(found.shape if found.turned else shape)
    stored.data_location = TensorProto.EXTERNAL
    for key, value in {"location": WEIGHTS, "offset": found.offset, "length": found.length}.items():
        stored.external_data.add(key=key, value=str(value))
    cast = f"{name}.cast" if found.turned else name
    nodes = [helper.make_node("Cast", [stored.name], [cast], to=TensorProto.FLOAT)]
    if found.turned:
        nodes.append(helper.make_node("Transpose", [cast], [name], perm=[1, 0]))
    return stored, nodes


def _ranges(file: Path) -> dict[bytes, _Range]:
    """The ranges of a safetensors file by their values in float32: tensors, matrices turned, and
    the thirds of attention's joint projections."""
    content = file.read_bytes()
    size = int.from_bytes(content[:8], "little")
    ranges: dict[bytes, _Range] = {}
    for name, entry in json.loads(content[8 : 8 + size]).items():
        if name == "__metadata__" or entry["dtype"] != "F16":
            continue
        first, last = (8 + size + offset for offset in entry["data_offsets"])
        whole = np.frombuffer(content[first:last], np.float16).reshape(entry["shape"])
        parts = np.split(whole, 3) if "in_proj_" in name else []
        for part, offset in [
            (whole, first),
            *((part, first + index * part.nbytes) for index, part in enumerate(parts)),
        ]:
            values = part.astype(np.float32)
            found = _Range(offset, part.nbytes, part.shape, turned=False)
            ranges.setdefault(values.tobytes(), found)
            if part.ndim == 2:
                ranges.setdefault(values.T.tobytes(), found._replace(turned=True))
    return ranges
