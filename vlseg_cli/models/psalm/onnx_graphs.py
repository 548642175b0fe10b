"""The exported graphs of a PSALM in ONNX Runtime; free of torch."""

from pathlib import Path
from typing import Any, NamedTuple

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.digest import model_digest

ENCODE, PROMPTS, REGION = "encode_image.onnx", "run_prompts.onnx", "embed_region.onnx"
DIGEST = "weights"  # metadata of a graph: of the weights that it was exported from


class Graphs(NamedTuple):
    """An ``onnxruntime.InferenceSession`` each: see ``onnx_export.py`` for inputs and outputs."""

    encode_image: Any
    run_prompts: Any
    embed_region: Any


def has_graphs(directory: Path) -> bool:
    """Whether a model folder holds exported graphs."""
    return all((directory / name).is_file() for name in (ENCODE, PROMPTS, REGION))


def open_graphs(directory: Path) -> Graphs:
    """Open the graphs of a model folder.

    Raises WeightsError if they are damaged or were exported from other weights.
    """
    graphs = Graphs(*(_open(directory / name) for name in (ENCODE, PROMPTS, REGION)))
    digest = model_digest(directory)
    for graph in graphs:
        if graph.get_modelmeta().custom_metadata_map.get(DIGEST) != digest:
            raise WeightsError(f"{directory} has graphs of other weights: export them again")
    return graphs


def _open(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # two are no faster
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # done
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
    except Exception as error:  # one class per kind of damage
        raise WeightsError(f"{file} cannot be opened: export it again") from error
