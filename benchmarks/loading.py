"""Peak memory of loading a model, as a multiple of its weights in the requested dtype.

    python benchmarks/loading.py float16    # the published PSALM, 1.6 billion parameters

The folder is of the full size and all zeros, which take no space on the disk. Reported is the
peak memory of this process less that of its libraries without a model.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch

from vlseg_cli.models.checkpoint import build_empty
from vlseg_cli.models.official import own_shapes
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.weights.folder import load_into, load_tensors


def main() -> None:
    """Make the folder, load it, print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dtype", choices=["float16", "bfloat16", "float32"])
    parser.add_argument("--layers", type=int, default=24, help="of the language model")
    parser.add_argument("--vocabulary", type=int, default=50297)
    chosen = parser.parse_args()
    config = PSALMConfig(language_layers=chosen.layers, vocabulary=chosen.vocabulary)
    with tempfile.TemporaryDirectory() as folder:
        parameters = write_zeros(Path(folder) / "model.safetensors", config)
        seconds, memory, size = load(Path(folder), config, getattr(torch, chosen.dtype))
    print(
        f"{parameters / 1e9:.2f} billion numbers, stored as float16, in {chosen.dtype}: "
        f"{size / 1e9:.2f} GB of weights, peak {memory / 1e9:.2f} GB = {memory / size:.3f} times, "
        f"{seconds:.1f} s"
    )


def write_zeros(file: Path, config: PSALMConfig) -> int:
    """A sparse safetensors file of these sizes; returns how many numbers it has."""
    header, end = {}, 0
    for name, shape in own_shapes(lambda: PSALM(config)).items():
        size = 2 * torch.Size(shape).numel()
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as opened:
        opened.write(len(text).to_bytes(8, "little") + text)
        opened.truncate(8 + len(text) + end)
    return end // 2


def load(directory: Path, config: PSALMConfig, dtype: torch.dtype) -> tuple[float, int, int]:
    """Seconds, bytes held at most beyond those before, bytes of the weights."""
    before, start = peak_memory(), time.perf_counter()
    model = build_empty(lambda: PSALM(config))
    load_into(model, load_tensors(directory, dtype), directory)
    for tensor in model.state_dict().values():
        tensor.view(-1)[::512].sum()  # touch every page of what is only mapped
    seconds = time.perf_counter() - start
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    return seconds, peak_memory() - before, size


def peak_memory() -> int:
    """The most bytes this process has held; Linux. (getrusage goes on counting from whatever
    started it, which may have held more.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return int(status["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    main()
