"""Time of SAM's mask proposals of one image with torch and with ONNX Runtime.

    python benchmarks/proposals.py    # ViT-B, random weights, a 512 px input, 16 by 16 points

SAM's own 1024 px and 32 points a side take some 20 times as long, and 4 GB. The two alternate, so
that the load of the machine affects both; processor seconds are printed beside wall time. Random
weights yield no proposals: SAM is measured, not the filters.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.checkpoint import build_empty
from vlseg_cli.models.proposals.onnx_engine import OnnxSAM
from vlseg_cli.models.proposals.onnx_export import export_sam
from vlseg_cli.models.proposals.sam import SAMBackend, SAMProposer, TorchSAM
from vlseg_cli.nn.sam import SAM, SAMSizes
from vlseg_cli.schema import Frame
from vlseg_cli.weights.folder import load_into

_DIGEST = "random"


def main() -> None:
    """Print a line per round and the ratio of the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512, help="side of SAM's input, px")
    parser.add_argument("--points", type=int, default=16, help="per side of the grid")
    parser.add_argument("--layers", type=int, default=12, help="of the image encoder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    sam = random_sam(chosen.size, chosen.layers)
    pixels = np.random.default_rng(0).integers(0, 256, (chosen.size, chosen.size, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        export_sam(sam, _DIGEST, Path(folder))
        engines = (TorchSAM(sam), OnnxSAM(Path(folder), _DIGEST))
        print(f"largest difference, of the largest value: {difference(*engines):.1e}")
        proposers = [SAMProposer(engine, "", chosen.points) for engine in engines]
        frame = Frame(pixels, "noise")
        rounds = [[timed(one, frame) for one in proposers] for _ in range(chosen.rounds)]
    print(f"{chosen.size} px, {chosen.points**2} points, {chosen.threads} threads; s of clock, cpu")
    for by_torch, by_onnx in rounds:
        print("torch {:7.2f} {:7.2f}   onnx {:7.2f} {:7.2f}".format(*by_torch, *by_onnx))
    for kind, name in enumerate(("clock", "processor")):
        torchs, onnxs = (statistics.median(r[which][kind] for r in rounds) for which in (0, 1))
        print(f"torch over onnx, ratio of medians, {name}: {torchs / onnxs:.2f}")


def random_sam(size: int, layers: int) -> SAM:
    """ViT-B but for its input; numbers of a trained model's size."""
    whole = tuple(layer for layer in (2, 5, 8, 11) if layer < layers)
    sizes = SAMSizes(
        image=size,
        patch=16,
        width=768,
        layers=layers,
        heads=12,
        window=14,
        whole=whole,
        channels=256,
        decoder_feedforward=2048,
        decoder_heads=8,
    )
    sam = build_empty(lambda: SAM(sizes)).eval()
    tensors = {
        name: torch.ones(tensor.shape)
        if tensor.dim() == 1
        else torch.empty(tensor.shape).normal_(std=0.02)
        for name, tensor in sam.state_dict().items()
    }
    load_into(sam, tensors, Path("random weights"))
    return sam


def difference(by_torch: SAMBackend, by_onnx: SAMBackend) -> float:
    """Of features and of logits; also the warm-up round."""
    size = by_torch.image_size
    pixels, points = torch.randn(1, 3, size, size), torch.rand(64, 2) * size
    features = by_torch.encode_image(pixels)
    pairs = [(by_onnx.encode_image(pixels), features)]
    for one in zip(
        by_onnx.masks_at(features, points), by_torch.masks_at(features, points), strict=True
    ):
        pairs.append(one)
    return max(_apart(ours, theirs) for ours, theirs in pairs)


def _apart(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def timed(proposer: SAMProposer, frame: Frame) -> tuple[float, float]:
    """Wall and processor seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    proposer.propose(frame)
    return time.perf_counter() - clock, time.process_time() - cpu


if __name__ == "__main__":
    main()
